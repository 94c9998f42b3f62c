"""Within what people name: activations by class, by cluster, or by the feature itself."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.naming.activations import Activations
from qscore.interpretability.naming.counted import Tally
from qscore.interpretability.naming.coverage import MIN_IMAGES
from qscore.interpretability.naming.explained import Explained
from qscore.interpretability.naming.gathering import ALL, gather_activations
from qscore.interpretability.naming.options import CLUSTER, FEATURE, LABEL
from qscore.interpretability.reverse_probing.clustered import KMEANS, clustered


def gather_groups(
    inputs: EvaluationInputs,
    *,
    group_by: str | None,
    num_images: int,
    num_clusters: int | None,
    explained: Explained | None,
    source: str,
    share: float,
    num_groups: int,
    tally: Tally,
) -> Activations:
    """Returns the significant activations of held-out images, of at most so many of some classes or clusters.

    Args:
        inputs: Representations.
        group_by: "label", "cluster" of k-means, or "feature": all images, in one group for `by_feature`. By default
            labels, or clusters where there are none.
        num_images: Of each group, at most.
        num_clusters: Of k-means, see `clustered`.
        explained: See `gather_activations`.
        source: See `gather_activations`.
        share: See `significant`.
        num_groups: At most, drawn by the seed; not of features.
        tally: To count all groups in.

    Raises:
        UserError: See `gather_activations`; or if there are no labels to group by.
    """
    has_labels = inputs.test.labels is not None
    chosen = group_by or (LABEL if has_labels else CLUSTER)
    how: dict[str, Any] = {"source": source, "share": share, "explained": explained, "tally": tally}
    num_all = len(inputs.test.h)
    if chosen == FEATURE:
        return gather_activations(inputs, groups=[ALL] * num_all, num_images=num_all, **how)
    how["num_groups"] = num_groups
    if chosen == CLUSTER:
        quantizer = clustered(inputs, KMEANS, num_clusters, 1).quantizers[0]
        names = [f"cluster {number}" for number in quantizer.assign(inputs.test.h).clusters.tolist()]
        return gather_activations(inputs, groups=names, num_images=num_images, **how)
    if not has_labels:
        raise UserError("Expected labelled images for group_by=label, got none; choose feature or cluster.")
    return gather_activations(inputs, num_images=num_images, **how)


def by_feature(activations: Activations, num_images: int) -> Activations:
    """Returns activations in one group for each feature: the images in which it contributes most.

    Features of under 3 images are left out, since no concept can be made of them.

    Args:
        activations: Of any images.
        num_images: Of each feature, at most.

    Raises:
        UserError: If no feature is significant in 3 images.
    """
    counts = Counter(one.feature for one in activations.activations)
    ranked = sorted(activations.activations, key=lambda one: (one.feature, -one.contribution))
    kept, seen = [], Counter[int]()
    for one in ranked:
        seen[one.feature] += 1
        if counts[one.feature] >= MIN_IMAGES and seen[one.feature] <= num_images:
            kept.append(dataclasses.replace(one, group=f"feature {one.feature}"))
    if not kept:
        raise UserError(
            f"Expected a feature that is significant in {MIN_IMAGES} images, got none; choose another group_by."
        )
    return dataclasses.replace(activations, activations=tuple(kept), without_evidence={})


def draw_groups(activations: Activations, num: int, seed: int) -> Activations:
    """Returns the activations of groups drawn at random, of all where there are no more."""
    groups = activations.groups
    drawn = np.random.default_rng(seed).permutation(len(groups))[:num].tolist()
    kept = {groups[place] for place in drawn}
    none = {group: samples for group, samples in activations.without_evidence.items() if group in kept}
    rows = tuple(one for one in activations.activations if one.group in kept)
    return dataclasses.replace(activations, activations=rows, without_evidence=none)
