"""How often two probes confuse each pair of clusters, and whether one of them does so less often."""

from collections.abc import Sequence
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
        changed: Test samples of either on the right side of the two after only, and before only.
        p: Of McNemar's exact test, one-sided, not corrected for the number of pairs.
    """

    pairs: Int[np.ndarray, "pair 2"]
    counts: Int[np.ndarray, "pair 2"]
    shares: Float[np.ndarray, "pair 2"]
    changed: Int[np.ndarray, "pair 2"]
    p: Float[np.ndarray, " pair"]


def confusions(
    clusters: Int[np.ndarray, " test"],
    before: Float[np.ndarray, "test cluster"],
    after: Float[np.ndarray, "test cluster"],
) -> Confusions:
    """Returns how two probes confuse pairs of clusters, of the pairs that a test can say something about.

    The entry of a confusion matrix falls as well when samples go to a third cluster, which tells nothing apart, and
    does so by accident between clusters that a probe holds for equally likely. So what is tested is the choice between
    the two: a sample of either is right if its own is the more probable one. Both probes are asked about the same
    samples, so that a test of two proportions does not apply; what tells is the samples that changed sides (McNemar,
    Psychometrika 1947, doi 10.1007/BF02295996). If the second probe is no better, those that it mended are, given their
    number, binomial with 1/2. Below 5 of them no outcome reaches 0.05, and the pair is left out, as is one with fewer
    than 20 samples in a cluster, and one that neither probe confuses: choices that do not look at the direction, so
    that a correction for the pairs left is honest (Tarone, Biometrics 1990).

    Args:
        clusters: True cluster of each test sample, from 0.
        before: ln q(cluster | concepts) by the first probe.
        after: By the second.

    >>> truth = np.repeat([0, 1], 20)
    >>> found = confusions(truth, np.tile([0.0, -1.0], (40, 1)), np.eye(2)[truth])
    >>> found.shares, found.changed, float(found.p[0]) == 0.5**20
    (array([[0.5, 0. ]]), array([[20,  0]]), True)
    """
    predicted = [each.argmax(1) for each in (before, after)]
    sizes = np.bincount(clusters, minlength=before.shape[1])
    pairs = _confused(clusters, predicted, len(sizes))
    pairs = pairs[(sizes[pairs] >= MIN_SAMPLES).all(1)]
    changed = np.array([_changed(clusters, before, after, *pair) for pair in pairs.tolist()], dtype=np.int64).reshape(
        -1, 2
    )
    is_tested = changed.sum(1) >= MIN_CHANGED
    pairs, changed = pairs[is_tested], changed[is_tested]
    found = np.stack([shares(clusters, each, pairs) for each in predicted], 1)
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


def _confused(clusters: np.ndarray, predicted: Sequence[np.ndarray], num: int) -> np.ndarray:
    """Pairs of which a sample of the one was taken for the other by either probe, the smaller number first."""
    ends = np.concatenate([np.stack([clusters, each], 1)[clusters != each] for each in predicted])
    low, high = np.sort(ends, axis=1).T
    keys = np.unique(low * num + high)
    return np.stack([keys // num, keys % num], 1)


def _changed(clusters: np.ndarray, before: np.ndarray, after: np.ndarray, first: int, second: int) -> tuple[int, int]:
    """Samples of either of two clusters that came to the right side of the two, and that left it."""
    rows = np.flatnonzero((clusters == first) | (clusters == second))
    own, other = clusters[rows], first + second - clusters[rows]
    was, is_now = (each[rows, own] > each[rows, other] for each in (before, after))
    return int((is_now & ~was).sum()), int((was & ~is_now).sum())
