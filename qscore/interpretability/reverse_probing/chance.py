"""Several clusterings of one representation, and the row of chance under their mean and standard deviation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from qscore.interpretability.reverse_probing.concepts import shuffled
from qscore.interpretability.reverse_probing.measures import MEASURES
from qscore.interpretability.reverse_probing.probe import ReverseProbe
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.records import Concepts, Grouping

NUM_PERMUTATIONS = 3


@dataclass(frozen=True)
class Probed:
    """Probes of several clusterings, beside probes whose concepts were dealt to other samples.

    Attributes:
        probes: One a clustering.
        clusterings: Their measures, in the order of `MEASURES`.
        shuffled: Those with shuffled concepts; the permutations are the same for every clustering.
    """

    probes: list[ReverseProbe]
    clusterings: Float[np.ndarray, "clustering measure"]
    shuffled: Float[np.ndarray, "clustering permutation measure"]

    def as_metrics(self) -> dict[str, float | None]:
        """Returns mean and standard deviation: "ami", "ami_sd", "shuffled/ami", "shuffled/ami_sd".

        Of shuffled concepts the deviation is that over clusterings and permutations alike.
        """
        return mean_and_sd(self.clusterings) | mean_and_sd(self.shuffled.reshape(-1, len(MEASURES)), "shuffled/")

    def as_arrays(self) -> dict[str, np.ndarray]:
        """Returns what a result file holds."""
        return {"measures": np.array(MEASURES), "clusterings": self.clusterings, "shuffled": self.shuffled}


def probe_with_chance(
    concepts: Concepts, groupings: Sequence[Grouping], prober: Prober, num_permutations: int = NUM_PERMUTATIONS
) -> Probed:
    """Returns the probe of each clustering, and the measures that chance alone gives them.

    Chance is no constant: NMI of predictions that know nothing rises with the number of clusters, and a probe that
    overfits falls below zero information. A row beside the other one says by how much.

    Raises:
        UserError: As `reverse_probe` does.
    """
    prober = prober.settled(concepts, groupings)
    probes = [
        prober.probe(concepts, grouping, number)
        for number, grouping in enumerate(tqdm(groupings, desc="Reverse probes", unit="probe", leave=False))
    ]
    dealt = [shuffled(concepts, prober.seed + permutation) for permutation in range(num_permutations)]
    by_permutation = prober.grid(dealt, groupings, "Shuffled concepts")
    clusterings = np.array([probe.measures.as_row() for probe in probes])
    return Probed(probes, clusterings, by_permutation.swapaxes(0, 1))


def mean_and_sd(rows: Float[np.ndarray, "row measure"], prefix: str = "") -> dict[str, float | None]:
    """Returns the mean of each measure, and as "..._sd" its standard deviation (divided by their number less one).

    None stands for what is not defined: any measure of no rows, the deviation of a single one.

    >>> found = mean_and_sd(np.array([[1.0], [3.0]]).repeat(len(MEASURES), axis=1))
    >>> found["ami"], round(found["ami_sd"], 3)
    (2.0, 1.414)
    """
    found: dict[str, float | None] = {}
    for name, values in zip(MEASURES, rows.T, strict=True):
        is_defined = len(values) > 0 and bool(np.isfinite(values).all())
        found[prefix + name] = float(values.mean()) if is_defined else None
        found[f"{prefix}{name}_sd"] = float(values.std(ddof=1)) if is_defined and len(values) > 1 else None
    return found
