"""Many probes fitted in one way, so that what differs between them is what they were given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from tqdm import tqdm

from qscore.interpretability.reverse_probing.linear import Examples
from qscore.interpretability.reverse_probing.probe import AUTO, ReverseProbe, choose_solver, reverse_probe
from qscore.interpretability.reverse_probing.solvers import Solver
from qscore.records import Concepts, Grouping


@dataclass(frozen=True)
class Prober:
    """How probes are fitted.

    The split depends on the clustering and on its number alone: two sets of concepts are probed on the same samples,
    and can be compared clustering by clustering.

    Attributes:
        seed: Of the first clustering; the next ones follow it.
        solver: As of `reverse_probe`.
        device: Where to fit.
    """

    seed: int = 0
    solver: str | Solver = AUTO
    device: torch.device | str = "cpu"

    def settled(self, concepts: Concepts, groupings: Sequence[Grouping]) -> "Prober":
        """Returns the same with "auto" decided for the largest problem that it will meet.

        Else a larger group of concepts, or a larger K, would differ by its solver as well.
        """
        largest = max(len(np.unique(grouping.clusters)) for grouping in groupings)
        everything = Examples(concepts.present, np.zeros(len(concepts.ids), dtype=np.int64))
        name, chosen = choose_solver(self.solver, everything, largest)
        return replace(self, solver=name if isinstance(self.solver, str) else chosen)

    def probe(self, concepts: Concepts, grouping: Grouping, number: int = 0) -> ReverseProbe:
        """Returns the probe of one clustering, of which `number` says which one it is."""
        return reverse_probe(concepts, grouping, seed=self.seed + number, solver=self.solver, device=self.device)

    def grid(
        self, variants: Sequence[Concepts], groupings: Sequence[Grouping], description: str
    ) -> Float[np.ndarray, "variant clustering measure"]:
        """Returns the measures of every set of concepts on every clustering, in the order of `MEASURES`."""
        cells = [(i, j) for i in range(len(variants)) for j in range(len(groupings))]
        rows = [
            self.probe(variants[i], groupings[j], j).measures.as_row()
            for i, j in tqdm(cells, desc=description, unit="probe", leave=False)
        ]
        return np.array(rows).reshape(len(variants), len(groupings), -1)
