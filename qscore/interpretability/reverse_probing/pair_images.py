"""Pairs of clusters as a report shows them: their images, their most common labels, the concepts between them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from qscore.evaluation import EvaluationInputs, Pictures
from qscore.interpretability.groupings import common_label, members
from qscore.interpretability.reverse_probing.concepts import group_names
from qscore.interpretability.reverse_probing.pairs import LEVEL, Pair, as_arrays, told_apart
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.sources import LABELS
from qscore.records import Concepts, Grouping

IMAGES, MAX_PX = 25, 48


def confused_pairs(
    inputs: EvaluationInputs, concepts: Concepts, grouping: Grouping, prober: Prober, num_pairs: int
) -> dict[str, np.ndarray]:
    """Returns the pairs of clusters that a group of concepts tells apart on top of the labels, with images of both.

    Args:
        inputs: Representations of the clustered samples, and their pictures if there are any.
        concepts: Of the same samples.
        grouping: One clustering.
        prober: How to fit.
        num_pairs: At most; 5 x 5 images of each cluster, no larger than 48 px.
    """
    base = [LABELS] if LABELS in group_names(concepts) else []
    found = told_apart(concepts, grouping, base, prober, num_pairs=num_pairs)
    pairs = [pair for pair in found if pair.p <= LEVEL]
    arrays = as_arrays(pairs) | {"pair_labels": _common_labels(inputs, grouping, pairs)}
    if inputs.pictures is None or not pairs:
        return arrays
    images_of = _images(inputs, inputs.pictures, grouping, sorted({c for pair in pairs for c in pair.clusters}))
    grids = [[images_of[c] for c in pair.clusters] for pair in pairs]
    size = grids[0][0].shape[-2]
    filled = np.full((len(pairs), 2, IMAGES, size, size, 3), 255, dtype=np.uint8)
    for i, grid in enumerate(grids):
        for side, images in enumerate(grid):
            filled[i, side, : len(images)] = images
    num_images = np.array([[len(images) for images in grid] for grid in grids])
    return arrays | {"pair_images": filled, "pair_num_images": num_images}


def _images(
    inputs: EvaluationInputs, pictures: Pictures, grouping: Grouping, clusters: Sequence[int]
) -> dict[int, np.ndarray]:
    """Some members of each cluster, (image, height, width, 3)."""
    drawn = [members(grouping, cluster, IMAGES, inputs.seed) for cluster in clusters]
    positions = pictures.positions((inputs.train.ids[row] for rows in drawn for row in rows), split="train")
    found, start = {}, 0
    for cluster, rows in zip(clusters, drawn, strict=True):
        images = pictures.plain(positions[start : start + len(rows)], split="train")
        start += len(rows)
        if images.shape[-1] > MAX_PX:
            images = F.interpolate(images, size=(MAX_PX, MAX_PX), mode="area")
        found[cluster] = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return found


def _common_labels(inputs: EvaluationInputs, grouping: Grouping, pairs: Sequence[Pair]) -> np.ndarray:
    if inputs.train.labels is None:
        return np.full((len(pairs), 2), "", dtype=str)
    labels, names = inputs.train.labels.numpy(), inputs.train.class_names
    found = [[names[common_label(labels, grouping, c)] for c in pair.clusters] for pair in pairs]
    return np.array(found, dtype=str).reshape(len(pairs), 2)
