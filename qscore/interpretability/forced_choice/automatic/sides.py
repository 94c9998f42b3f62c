"""Features of D beside those outside of it, which are of another size by definition."""

import numpy as np
from jaxtyping import Bool, Float, Int

NUM_RESAMPLES, CONFIDENCE = 10_000, 0.95


def compare_sides(
    values: Float[np.ndarray, " feature"],
    inside: Bool[np.ndarray, " feature"],
    sizes: Int[np.ndarray, " feature"],
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> dict[str, float | None]:
    """Returns the means inside and outside, and their difference, plain and adjusted, with bootstrap intervals.

    The adjusted one is the coefficient of being inside in a linear model of the value by it and by the logarithm of the
    size. With features outside on one side of the band only, it rests on the straight line. Features of either side are
    drawn again with replacement; None where a side has fewer than 2.

    Args:
        values: Of each feature.
        inside: Whether it is in D.
        sizes: Of its group.
        confidence: Of the intervals.
        seed: Of the draws.

    >>> sizes = np.array([20, 20, 80, 80, 40, 40])
    >>> inside = np.array([False, False, False, False, True, True])
    >>> found = compare_sides(np.log(sizes) + inside, inside, sizes)
    >>> round(found["difference_adjusted"], 6), round(found["difference"], 6)
    (1.0, 1.0)
    """
    low, high = (sizes[inside].min(), sizes[inside].max()) if inside.any() else (0, 0)
    parts = {
        "discriminative": values[inside],
        "outside": values[~inside],
        "outside_rarer": values[~inside & (sizes < low)],
        "outside_commoner": values[~inside & (sizes > high)],
    }
    found: dict[str, float | None] = {name: float(part.mean()) if len(part) else None for name, part in parts.items()}
    if min(inside.sum(), (~inside).sum()) < 2:
        return found
    generator = np.random.default_rng(seed)
    own, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    draws = np.concatenate([generator.choice(side, (NUM_RESAMPLES, len(side))) for side in (own, others)], axis=1)
    rows = np.concatenate([own, others])[None]
    for name, difference in (("difference", _difference), ("difference_adjusted", _adjusted)):
        tail = (1 - confidence) / 2
        ends = np.quantile(difference(values, inside, sizes, draws), [tail, 1 - tail])
        found[name] = float(difference(values, inside, sizes, rows)[0])
        found |= {f"{name}_low": float(ends[0]), f"{name}_high": float(ends[1])}
    return found


def _difference(
    values: np.ndarray, inside: np.ndarray, sizes: np.ndarray, draws: np.ndarray
) -> Float[np.ndarray, " draw"]:
    num = inside.sum()
    found: np.ndarray = values[draws[:, :num]].mean(1) - values[draws[:, num:]].mean(1)
    return found


def _adjusted(
    values: np.ndarray, inside: np.ndarray, sizes: np.ndarray, draws: np.ndarray
) -> Float[np.ndarray, " draw"]:
    """The difference less the slope within the sides times the difference of the sizes (analysis of covariance)."""
    num, logs = inside.sum(), np.log(sizes)[draws]
    drawn, covariance, variance = values[draws], np.zeros(len(draws)), np.zeros(len(draws))
    for side in (slice(None, num), slice(num, None)):
        x, y = logs[:, side], drawn[:, side]
        from_mean = x - x.mean(1, keepdims=True)
        covariance += (from_mean * y).sum(1)
        variance += (from_mean**2).sum(1)
    slope = np.divide(covariance, variance, out=np.zeros(len(draws)), where=variance > 0)
    size = logs[:, :num].mean(1) - logs[:, num:].mean(1)
    found: np.ndarray = _difference(values, inside, sizes, draws) - slope * size
    return found
