"""The groupings that an evaluation probes: clusterings that are kept on disk, or groups that somebody else made."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from qscore.evaluation import EvaluationInputs
from qscore.files import fingerprint
from qscore.interpretability.clusters import Quantizer, by_dominant_feature, by_labels, default_num_clusters, quantize
from qscore.interpretability.groupings import load_grouping
from qscore.records import Grouping
from qscore.score import dominant_features

KMEANS, LABELS, DOMINANT = "k-means", "labels", "dominant_features"


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
            "kmeans": f"trained on {first.num_fitted} of {first.num_samples}",
            "num_constant_features": first.num_constant,
        }
        return Clustered([each.assign(inputs.train.h) for each in quantizers], quantizers, facts)
    found = _given(inputs, grouping)
    num = len(np.unique(found.clusters[found.clusters >= 0]))
    outside = int((found.clusters < 0).sum())
    return Clustered([found] * num_clusterings, facts={"num_clusters": num, "num_in_no_cluster": outside})


def kept_quantizers(inputs: EvaluationInputs, num_clusters: int, num_clusterings: int) -> list[Quantizer]:
    """Returns clusterings of the training samples, from the cache where they were clustered before.

    Each is kept as soon as it is there: neither a killed run nor another set of concepts makes it again.

    Args:
        inputs: Representations; without pictures nothing is kept.
        num_clusters: K.
        num_clusterings: How many; their seeds begin at that of the inputs.
    """
    found = []
    for number in tqdm(range(num_clusterings), desc=f"Clustering, K = {num_clusters}", leave=False):
        seed = inputs.seed + number
        if inputs.pictures is None:
            found.append(quantize(inputs.train.h, num_clusters, seed=seed))
            continue
        key = fingerprint(inputs.train.fingerprint, f"{num_clusters} {seed}")
        path = inputs.pictures.cache / "clusters" / f"{key}.safetensors"
        if not path.is_file():
            quantize(inputs.train.h, num_clusters, seed=seed).save(path)
        found.append(Quantizer.load(path))
    return found


def _given(inputs: EvaluationInputs, grouping: str) -> Grouping:
    if grouping == LABELS:
        return by_labels(inputs.labels[0])
    if grouping == DOMINANT:
        dominant = dominant_features(inputs.train.h, inputs.epsilon) & inputs.discriminative
        return by_dominant_feature(inputs.train.h, dominant)
    return load_grouping(Path(grouping), inputs.train.ids)
