"""The rivals again, sample by sample, in plain Python from their papers."""

import math


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def gini(h: list[float]) -> float:
    """Hurley and Rickard's table II: 1 - 2 Σ c_(k) / |c|_1 (N - k + 1/2) / N."""
    n, total = len(h), sum(map(abs, h))
    ordered = sorted(map(abs, h))
    return 1 - 2 * sum(c / total * (n - k + 0.5) / n for k, c in enumerate(ordered, start=1))


def hoyer(h: list[float]) -> float:
    root = math.sqrt(len(h))
    return (root - sum(map(abs, h)) / math.sqrt(sum(x * x for x in h))) / (root - 1)


def distances(h: list[float], bank: list[list[float]]) -> list[float]:
    return sorted(1 - cosine(h, member) for member in bank)


def lid(h: list[float], bank: list[list[float]], k: int) -> float:
    """Over Euclidean distances of unit vectors."""
    norm = math.sqrt(sum(x * x for x in h))
    unit = [x / norm for x in h]
    found = []
    for member in bank:
        length = math.sqrt(sum(x * x for x in member))
        found.append(math.dist(unit, [x / length for x in member]))
    nearest = sorted(found)[:k]
    return -1 / (sum(math.log(d / nearest[-1]) for d in nearest) / k)


def entropy(h: list[float], centres: list[list[float]], temperature: float) -> float:
    weights = [math.exp(cosine(h, c) / temperature) for c in centres]
    return -sum(w / sum(weights) * math.log(w / sum(weights)) for w in weights)


def first_version(h: list[float]) -> float:
    norm = math.sqrt(sum(x * x for x in h))
    unit = [x / norm for x in h]
    mean = sum(unit) / len(unit)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in unit) / len(unit))
    return (max(unit) - mean) / deviation / sum(map(abs, unit))


def feature_zscore(h: list[float], bank: list[list[float]]) -> float:
    best = -math.inf
    for j, value in enumerate(h):
        column = [member[j] for member in bank]
        mean = sum(column) / len(column)
        deviation = math.sqrt(sum((x - mean) ** 2 for x in column) / len(column))
        best = max(best, (value - mean) / deviation)
    return best
