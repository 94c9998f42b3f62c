"""How often two probes confuse each pair of clusters, and whether one of them does so less often."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import binom

MIN_SAMPLES, MIN_CHANGED = 20, 5


@dataclass(frozen=True)
class Confusions:
    """The pairs of clusters that could be tested.

    Attributes:
        pairs: Two clusters, the smaller number first.
        counts: Test samples of each.
        shares: conf(i, j) before and after, as of `shares`.
        changed: Test samples of either that were taken for the other before only, and after only.
        p: Of McNemar's exact test, one-sided, not corrected for the number of pairs.
    """

    pairs: Int[np.ndarray, "pair 2"]
    counts: Int[np.ndarray, "pair 2"]
    shares: Float[np.ndarray, "pair 2"]
    changed: Int[np.ndarray, "pair 2"]
    p: Float[np.ndarray, " pair"]


def confusions(
    clusters: Int[np.ndarray, " test"],
    before: Int[np.ndarray, " test"],
    after: Int[np.ndarray, " test"],
    num_clusters: int,
) -> Confusions:
    """Returns how two probes confuse pairs of clusters, of the pairs that a test can say something about.

    Both probes are asked about the same samples, so the two shares are not independent, as a test of two proportions
    takes them to be; what tells is the samples that changed (McNemar, Psychometrika 1947, doi 10.1007/BF02295996). If
    the second probe is no better, those that it mended are, given their number, binomial with 1/2. Below 5 of them no
    outcome reaches 0.05, and the pair is left out, as is one with fewer than 20 samples in a cluster: a choice that
    does not look at the direction, so that a correction for the pairs left is honest (Tarone, Biometrics 1990).

    Args:
        clusters: True cluster of each test sample, from 0.
        before: Predicted by the first probe.
        after: Predicted by the second.
        num_clusters: K.

    >>> truth = np.repeat([0, 1], 20)
    >>> found = confusions(truth, np.zeros(40, int), truth, 2)
    >>> found.shares, found.changed, float(found.p[0]) == 0.5**20
    (array([[0.5, 0. ]]), array([[20,  0]]), True)
    """
    sizes = np.bincount(clusters, minlength=num_clusters)
    pairs, changed = _changed(clusters, before, after, num_clusters)
    is_tested = (sizes[pairs] >= MIN_SAMPLES).all(1) & (changed.sum(1) >= MIN_CHANGED)
    pairs, changed = pairs[is_tested], changed[is_tested]
    found = np.stack([shares(clusters, predicted, pairs) for predicted in (before, after)], 1)
    p = binom.sf(changed[:, 0] - 1, changed.sum(1), 0.5)
    return Confusions(pairs, sizes[pairs], found, changed, p)


def shares(
    clusters: Int[np.ndarray, " test"], predicted: Int[np.ndarray, " test"], pairs: Int[np.ndarray, "pair 2"]
) -> Float[np.ndarray, " pair"]:
    """Returns conf(i, j) = (C_ij + C_ji) / 2 of each pair, C the confusion matrix whose rows sum to 1.

    The paper calls it pairwise confusion "estimated from the confusion matrix" and gives no formula.

    >>> shares(np.array([0, 0, 1, 1]), np.array([1, 0, 1, 1]), np.array([[0, 1]]))
    array([0.25])
    """
    num = 1 + int(max(clusters.max(initial=0), predicted.max(initial=0), pairs.max(initial=0)))
    sizes = np.bincount(clusters, minlength=num)
    cells, times = np.unique(clusters * num + predicted, return_counts=True)  # K² numbers may not fit into memory
    wanted = np.stack([pairs @ [num, 1], pairs @ [1, num]])
    place = np.searchsorted(cells, wanted).clip(max=len(cells) - 1)
    counted = np.where(cells[place] == wanted, times[place], 0)
    return np.asarray((counted / sizes[pairs.T].clip(min=1)).mean(0))


def holm(p: Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """Returns p-values corrected for their number, whatever depends on what (Holm, Scand. J. Statist. 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3)
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    return corrected


def _changed(clusters: np.ndarray, before: np.ndarray, after: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs in which a sample changed, and how many were confused before only and after only."""
    places = [np.flatnonzero((before != after) & (predicted != clusters)) for predicted in (before, after)]
    taken_for = np.concatenate([before[places[0]], after[places[1]]])
    low, high = np.sort(np.stack([clusters[np.concatenate(places)], taken_for]), axis=0)
    keys, pair = np.unique(low * num + high, return_inverse=True)
    is_after = np.repeat([0, 1], [len(rows) for rows in places])
    changed = np.bincount(2 * pair + is_after, minlength=2 * len(keys)).reshape(-1, 2)
    return np.stack([keys // num, keys % num], 1), changed
