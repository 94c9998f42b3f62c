"""Clusters beside labels: how nearly they are of one class, and some of every degree of it."""

import logging
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import entropy

from qscore.errors import UserError
from qscore.interpretability.membership import Groups, members_by_group

log = logging.getLogger(__name__)

RANGES = tuple((low / 10, (low + 1) / 10) for low in range(3, 10))
PER_RANGE = 10


def purity(labels: Int[np.ndarray, " sample"], clusters: Groups, *, num_classes: int) -> Float[np.ndarray, " cluster"]:
    """Returns how nearly each cluster is of one class: 1 - H / log K of the labels of its samples.

    1 for a single label, 0 for all in equal shares (Laina et al., NeurIPS 2020, arXiv 2010.14551, section 5.1). A small
    cluster looks purer than it is: n samples cannot have more than n labels.

    Args:
        labels: Class of each sample, from 0.
        clusters: Of each sample, -1 for none; or any other grouping.
        num_classes: K, number of classes in the data, not of clusters.

    Returns:
        Of each cluster that has samples, in ascending order of its number.

    Raises:
        UserError: If there are fewer than 2 classes, labels of others, no samples, or their numbers differ.

    >>> purity(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), num_classes=2)
    array([1., 0.])
    """
    if num_classes < 2:
        raise UserError(f"Expected at least 2 classes to be pure of one of, got {num_classes}.")
    members = members_by_group(clusters, len(labels))
    if wrong := int(((labels < 0) | (labels >= num_classes)).sum()):
        raise UserError(
            f"Expected labels from 0 to {num_classes - 1}, got {wrong} others; "
            "leave out samples without a label, and let num_classes count the classes of the data."
        )
    counts = (np.unique(labels[positions], return_counts=True)[1] for positions in members.values())
    found: np.ndarray = 1 - np.array([entropy(of_cluster) for of_cluster in counts]) / np.log(num_classes)
    return found


@dataclass(frozen=True)
class PurityRange:
    """Clusters whose purity is above `low` and at most `high`.

    Attributes:
        low: Left out.
        high: Included.
        clusters: Numbers of those drawn, ascending; all where there are no more than asked for.
        num_available: How many are in the range.
    """

    low: float
    high: float
    clusters: tuple[int, ...]
    num_available: int


def choose_by_purity(
    purities: Float[np.ndarray, " cluster"],
    clusters: Int[np.ndarray, " cluster"],
    *,
    per_range: int = PER_RANGE,
    ranges: tuple[tuple[float, float], ...] = RANGES,
    seed: int = 0,
) -> list[PurityRange]:
    """Returns some clusters of each range of purity, for trials: 10 of each of (0.3, 0.4] to (0.9, 1.0] in the paper.

    Args:
        purities: As by `purity`.
        clusters: Number of each cluster, such as `list(members_by_group(clusters))`.
        per_range: How many; all where a range has fewer, which is logged.
        ranges: (low, high], may leave gaps.
        seed: Of the draw.

    >>> chosen = choose_by_purity(np.array([0.3, 0.4, 0.95, 1.0]), np.array([0, 1, 2, 3]))
    >>> [(r.low, r.high, r.clusters) for r in chosen if r.clusters]
    [(0.3, 0.4, (1,)), (0.9, 1.0, (2, 3))]
    """
    found = []
    for number, (low, high) in enumerate(ranges):
        inside = clusters[(low < purities) & (purities <= high)]
        drawn = np.random.default_rng((seed, number)).permutation(np.sort(inside))[:per_range]
        found.append(PurityRange(low, high, tuple(np.sort(drawn).tolist()), len(inside)))
    if small := [f"({r.low}, {r.high}]: {r.num_available}" for r in found if r.num_available < per_range]:
        log.warning("Fewer than %d clusters of purity %s; all of them are taken.", per_range, ", ".join(small))
    return found
