"""The groupings that an evaluation probes: clusterings that are kept on disk, or groups that somebody else made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qscore.errors import UserError, unknown_name
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.clusters import Quantizer, default_num_clusters
from qscore.interpretability.groupings import by_dominant_feature, by_labels, load_grouping
from qscore.interpretability.reverse_probing.kept import kept_quantizers
from qscore.interpretability.reverse_probing.probe import AUTO, SOLVERS
from qscore.records import Grouping
from qscore.score import dominant_features

KMEANS, LABELS, DOMINANT = "k-means", "labels", "dominant_features"
SAMPLES_FOR_PAIRS = 200  # a cluster: some 40 to test on, where a pair takes 20


def check_options(grouping: object, num_clusters: object, num_clusterings: object, ks: object, solver: object) -> None:
    """Looks whether an evaluation can be done as it is asked for; the options may be anything that a user can write.

    Raises:
        UserError: If a number is not a whole one of a sensible size, or grouping or solver are unknown.
    """
    if not isinstance(ks, Sequence) or isinstance(ks, str):
        raise UserError(f"Expected a list of numbers of clusters in ks, got {ks}; write ks=[50,100].")
    for name, value, least in (
        ("num_clusterings", num_clusterings, 1),
        *(("num_clusters", value, 2) for value in ([] if num_clusters is None else [num_clusters])),
        *(("ks", value, 2) for value in ks),
    ):
        if not isinstance(value, int) or value < least:
            raise UserError(f"Expected whole numbers from {least} in {name}, got {value}.")
    if solver not in (AUTO, *SOLVERS):
        raise unknown_name("solver", str(solver), (AUTO, *SOLVERS))
    if grouping not in (KMEANS, LABELS, DOMINANT) and not Path(str(grouping)).is_file():
        raise UserError(
            f"{unknown_name('grouping', str(grouping), (KMEANS, LABELS, DOMINANT))} Or name a .csv or .npz file."
        )


@dataclass(frozen=True)
class Clustered:
    """Groupings of the training samples, one a clustering.

    Attributes:
        groupings: To probe.
        quantizers: What made them, in their order; none where they were given.
        facts: For the settings of a result.
    """

    groupings: list[Grouping]
    quantizers: list[Quantizer] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def clustered(inputs: EvaluationInputs, grouping: str, num_clusters: int | None, num_clusterings: int) -> Clustered:
    """Returns k-means clusterings of the training samples, or a given grouping as many times.

    Probes of the same grouping differ by their split and order.

    Args:
        inputs: Representations.
        grouping: "k-means"; "labels" (appendix D.1); "dominant_features": the largest of L ∩ D of each sample; or a
            file, see `load_grouping` (table 6).
        num_clusters: Of k-means; None for `default_num_clusters`.
        num_clusterings: How many.

    Raises:
        UserError: If labels are asked for and there are none, or a file cannot be read.
    """
    if grouping == KMEANS:
        k = num_clusters or default_num_clusters(len(inputs.train.h))
        quantizers = kept_quantizers(inputs, k, num_clusterings)
        first = quantizers[0]
        facts = {
            "num_clusters": k,
            "kmeans": f"{first.solver}, trained on {first.num_fitted} of {first.num_samples}",
            "num_constant_features": first.num_constant,
        }
        return Clustered([each.assign(inputs.train.h) for each in quantizers], quantizers, facts)
    found = _given(inputs, grouping)
    num = len(np.unique(found.clusters[found.clusters >= 0]))
    outside = int((found.clusters < 0).sum())
    return Clustered([found] * num_clusterings, facts={"num_clusters": num, "num_in_no_cluster": outside})


def clustered_for_pairs(inputs: EvaluationInputs, found: Clustered) -> Grouping:
    """Returns the first grouping, or a coarser clustering where its clusters are too small to test pairs of them.

    20 test samples a cluster are a hundred in all, and clusters are of unequal size.
    """
    num = max(2, len(inputs.train.h) // SAMPLES_FOR_PAIRS)
    if not found.quantizers or found.facts["num_clusters"] <= num:
        return found.groupings[0]
    return clustered(inputs, KMEANS, num, 1).groupings[0]


def _given(inputs: EvaluationInputs, grouping: str) -> Grouping:
    if grouping == LABELS:
        return by_labels(inputs.labels[0])
    if grouping == DOMINANT:
        dominant = dominant_features(inputs.train.h, inputs.epsilon) & inputs.discriminative
        return by_dominant_feature(inputs.train.h, dominant)
    return load_grouping(Path(grouping), inputs.train.ids)
