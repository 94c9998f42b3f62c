"""How sure a paired difference is: over training seeds, and over the images it was measured on."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

Statistic = Callable[[Sequence[np.ndarray]], float]


def t_interval(differences: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float]:
    """Returns the interval of the mean difference by Student's t over seeds; infinite for a single one.

    >>> t_interval([1.0, 1.0, 1.0])
    (1.0, 1.0)
    """
    n, mean = len(differences), float(np.mean(differences))
    if n < 2:
        return -np.inf, np.inf
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1) * np.std(differences, ddof=1) / np.sqrt(n))
    return mean - reach, mean + reach


def p_value(differences: Sequence[float]) -> float:
    """Returns the two-sided p of a paired t test; 1 where nothing differs, 0 where all differ by the same amount.

    >>> p_value([0.0, 0.0, 0.0]), p_value([1.0, 1.0, 1.0])
    (1.0, 0.0)
    """
    n, mean = len(differences), float(np.mean(differences))
    if n < 2 or not np.any(differences):
        return 1.0
    error = float(np.std(differences, ddof=1) / np.sqrt(n))
    return float(2 * stats.t.sf(abs(mean) / error, n - 1)) if error > 0 else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p values adjusted for all being looked at together (Holm, Scandinavian Journal of Statistics, 1979).

    >>> [round(p, 6) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(np.argsort(p_values, kind="stable")):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def sample_interval(
    pairs: Sequence[tuple[Sequence[np.ndarray], Sequence[np.ndarray]]],
    statistic: Statistic,
    *,
    num: int,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Returns the bootstrap interval, over images, of the difference of a statistic averaged over pairs.

    Every resampled set of images is used for both encoders of every pair, since all of them saw the same ones.

    Args:
        pairs: Arrays (sample,) of the treated and of the reference encoder, as many as the statistic takes.
        statistic: Arrays of an encoder to a number; NaN where a resampled set does not define it.
        num: Number of resampled sets.
        confidence: Coverage.
    """
    generator = np.random.default_rng(0)
    num_samples = len(pairs[0][0][0])
    drawn = []
    for _ in range(num):
        rows = generator.integers(num_samples, size=num_samples)
        one = [statistic([a[rows] for a in ours]) - statistic([a[rows] for a in theirs]) for ours, theirs in pairs]
        drawn.append(np.mean(one))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
