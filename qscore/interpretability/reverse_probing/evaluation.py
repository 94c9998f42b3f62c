"""The evaluation of any encoder by reverse probing: the paper's tables, and what it has to do with Q-Score."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.clusters import Quantizer, by_dominant_feature, by_labels, default_num_clusters
from qscore.interpretability.reverse_probing.bridge import FittedClustering, compare_with_q, mean_surprise
from qscore.interpretability.reverse_probing.concepts import group_names, of_groups
from qscore.interpretability.reverse_probing.kept import kept_clusterings
from qscore.interpretability.reverse_probing.sources import LABELS, Gathered, gather
from qscore.records import Concepts, Grouping
from qscore.results import Result
from qscore.score import dominant_features

NAME = "reverse_probing"
KMEANS, DOMINANT = "k-means", "dominant_features"


@dataclass(frozen=True)
class Clustered:
    """The groupings to probe, one a clustering.

    Attributes:
        groupings: Of the training samples.
        quantizers: What made them; none where they were given.
    """

    groupings: list[Grouping]
    quantizers: list[Quantizer]
    facts: dict[str, Any]


def clustered(inputs: EvaluationInputs, grouping: str, num_clusters: int | None, num_clusterings: int) -> Clustered:
    """Returns k-means clusterings of the training samples, or one given grouping as often as clusterings are asked for.

    Args:
        inputs: Representations.
        grouping: "k-means", "labels" (appendix D.1), "dominant_features" (of L ∩ D), or a file, see `load_grouping`.
        num_clusters: Of k-means; None for `default_num_clusters`.
        num_clusterings: How many.

    Raises:
        UserError: If the grouping asks for labels and there are none, or cannot be read.
    """
    if grouping == KMEANS:
        k = num_clusters or default_num_clusters(len(inputs.train.h))
        folder = None if inputs.pictures is None else inputs.pictures.cache / "clusters"
        quantizers = kept_clusterings(inputs.train, k, range(num_clusterings), folder)
        first = quantizers[0]
        facts = {
            "num_clusters": k,
            "kmeans": f"trained on {first.num_fitted} of {first.num_samples}",
            "num_constant_features": first.num_constant,
        }
        return Clustered([q.assign(inputs.train.h) for q in quantizers], quantizers, facts)
    if grouping == LABELS:
        found = by_labels(inputs.labels[0])
    elif grouping == DOMINANT:
        dominant = dominant_features(inputs.train.h, inputs.epsilon) & inputs.discriminative
        found = by_dominant_feature(inputs.train.h, dominant)
    else:
        found = load_grouping(Path(grouping), inputs.train.ids)
    return Clustered([found] * num_clusterings, [], {"num_clusters": len(np.unique(found.clusters[found.clusters >= 0]))})
