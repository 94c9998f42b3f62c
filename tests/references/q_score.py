"""Eqs. 2-3 of the paper and eq. 1 of its final version, read off the page: loops over samples and features."""

import math


def dominant(h: list[float], epsilon: float) -> set[int]:
    r = len(h)
    mu = math.fsum(h) / r
    sigma = math.sqrt(math.fsum((x - mu) ** 2 for x in h) / r)
    return {j for j in range(r) if h[j] > mu + epsilon * sigma}


def ratio(h: list[float], discriminative: set[int], epsilon: float) -> float:
    common = dominant(h, epsilon) & discriminative
    l1 = math.fsum(abs(x) for x in h)
    return math.fsum(h[j] for j in common) / (len(common) * l1) if common else 0.0


def centered(h: list[float], discriminative: set[int], epsilon: float) -> float:
    common = dominant(h, epsilon) & discriminative
    l2 = math.sqrt(math.fsum(x * x for x in h))
    if not common:
        return 0.0
    mu = math.fsum(h) / len(h)
    return math.fsum((h[j] - mu) / l2 for j in common) / len(common)


def soft(h: list[float], discriminative: set[int], epsilon: float, sharpness: float = 1.0) -> float:
    """The final version with weights in place of the set."""
    r, l2 = len(h), math.sqrt(math.fsum(x * x for x in h))
    mu = math.fsum(h) / r
    sigma = math.sqrt(math.fsum((x - mu) ** 2 for x in h) / r)
    if not discriminative or not l2:
        return 0.0
    flat = sigma <= 1e-6 * max(map(abs, h))
    logs = {j: -sharpness * ((0.0 if flat else (h[j] - mu) / sigma) - epsilon) for j in discriminative}
    logs = {j: -(x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))) for j, x in logs.items()}
    top = max(logs.values())
    weights = {j: math.exp(x - top) for j, x in logs.items()}
    return math.fsum(w * (h[j] - mu) for j, w in weights.items()) / math.fsum(weights.values()) / l2


FORMULAS = {"ratio": ratio, "centered": centered, "soft": soft}


def discriminative(counts: list[int], lower: float, upper: float) -> set[int]:
    """The middle of the sorted counts: linear interpolation between order statistics, ends included."""
    active = sorted(c for c in counts if c > 0)
    if not active:
        return set()

    def at(q: float) -> float:
        place = q * (len(active) - 1)
        below = math.floor(place)
        above = min(below + 1, len(active) - 1)
        return active[below] + (place - below) * (active[above] - active[below])

    return {j for j, c in enumerate(counts) if c > 0 and at(lower) <= c <= at(upper)}
