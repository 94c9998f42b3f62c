"""The reverse probe: from concepts to clusters, and what that says about the representation (eq. 1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array

from qscore.errors import UserError, unknown_name
from qscore.interpretability.reverse_probing.concepts import as_binary
from qscore.interpretability.reverse_probing.linear import Examples, LinearModel
from qscore.interpretability.reverse_probing.measures import Measures, measure
from qscore.interpretability.reverse_probing.solvers import LBFGS, SGD, Solver
from qscore.interpretability.reverse_probing.split import Split, stratified_split
from qscore.records import Concepts, Grouping

SOLVERS: dict[str, Solver] = {"sgd": SGD(), "lbfgs": LBFGS()}
AUTO = "auto"
SMALL = 100_000  # outputs over the training part: up to here the optimum is quick, and better than SGD by some 0.03 nat
MIN_SAMPLES = 10


@dataclass(frozen=True)
class ReverseProbe:
    """A fitted probe and what it is worth on the test samples.

    The numbers of `measures` can be read here too: `probe.ami`.

    Attributes:
        model: Concepts to clusters.
        measures: On the test samples.
        split: Which those are.
        cluster_ids: Number of each cluster of the model in the grouping it was fitted on.
        surprise: -ln q(cluster | concepts) of each test sample.
        predicted: Most probable cluster of each, as numbered in the grouping.
        solver: "sgd", "lbfgs" or the name of another.
        seed: Of the split.
    """

    model: LinearModel
    measures: Measures
    split: Split
    cluster_ids: Int[np.ndarray, " cluster"]
    surprise: Float[np.ndarray, " test"]
    predicted: Int[np.ndarray, " test"]
    solver: str
    seed: int

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "measures":
            raise AttributeError(name)
        return getattr(self.measures, name)


def reverse_probe(
    concepts: Concepts | csr_array | Bool[np.ndarray, "sample concept"],
    clusters: Grouping | Int[np.ndarray, " sample"],
    *,
    seed: int = 0,
    solver: str | Solver = AUTO,
    device: torch.device | str = "cpu",
) -> ReverseProbe:
    """Returns a linear probe from concepts to clusters, and its measures on held-out samples.

    Args:
        concepts: Which concepts apply to each sample.
        clusters: Cluster of each sample; a sample at -1 is left out.
        seed: Of the split and of the order in SGD.
        solver: "sgd" is the paper's recipe; "lbfgs" goes to the optimum, at a strength of the penalty that the
            validation part chooses; "auto" is the latter for little data. Or a `Solver`.
        device: Where to fit.

    Raises:
        UserError: If numbers of samples differ, there are fewer than 2 clusters or 10 samples, the clusters are too
            small to hold some samples out, or a concept is neither present nor absent.

    >>> y = np.tile(np.eye(2, dtype=bool), (50, 1))
    >>> probe = reverse_probe(y, np.tile([0, 1], 50))
    >>> round(probe.information_bits, 2), probe.top1
    (1.0, 1.0)
    """
    present = concepts.present if isinstance(concepts, Concepts) else as_binary(concepts)
    given = clusters.clusters if isinstance(clusters, Grouping) else np.asarray(clusters)
    if present.shape[0] != len(given):
        raise UserError(f"Expected concepts and clusters of the same samples, got {present.shape[0]} and {len(given)}.")
    is_in = given >= 0
    cluster_ids, codes = np.unique(given[is_in], return_inverse=True)
    if len(cluster_ids) < 2 or len(codes) < MIN_SAMPLES:
        raise UserError(
            f"Expected at least 2 clusters and {MIN_SAMPLES} samples to probe, got {len(cluster_ids)} and {len(codes)}."
        )
    dense = np.full(len(given), -1)
    dense[is_in] = codes
    split = stratified_split(dense, seed)
    if not len(split.validation) or not len(split.test):
        raise UserError(
            f"Expected clusters of several samples, to fit on some and measure on others, got {len(cluster_ids)} "
            f"clusters of {len(codes)} samples; make fewer clusters."
        )
    train, validation, test = (
        Examples(present[part], dense[part]) for part in (split.train, split.validation, split.test)
    )
    name, chosen = choose_solver(solver, train, len(cluster_ids))
    model = chosen.fit(train, validation, len(cluster_ids), seed=seed, device=device)
    log_posterior = model.log_posterior(test.present)
    return ReverseProbe(
        model,
        measure(log_posterior, test.clusters, codes),
        split,
        cluster_ids,
        -log_posterior[np.arange(len(test.clusters)), test.clusters],
        cluster_ids[log_posterior.argmax(1)],
        name,
        seed,
    )


def choose_solver(solver: str | Solver, train: Examples, num_clusters: int) -> tuple[str, Solver]:
    """Returns a solver by name, or by the size of the problem, and what it is called.

    Raises:
        UserError: If there is none of that name.
    """
    if not isinstance(solver, str):
        return type(solver).__name__, solver
    if solver == AUTO:
        solver = "lbfgs" if len(train.clusters) * num_clusters <= SMALL else "sgd"
    if solver not in SOLVERS:
        raise unknown_name("solver", solver, (AUTO, *SOLVERS))
    return solver, SOLVERS[solver]
