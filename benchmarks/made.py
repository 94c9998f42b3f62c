"""What the comparisons run on, and how a comparison is told."""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.harness import medians

Gate = dict[str, object]
Goal = tuple[dict[str, float], float | None, float | None]


@dataclass(frozen=True)
class Sizes:
    """How much is timed."""

    batch: int = 256
    counted: int = 10_000
    bank: int = 50_000
    queries: int = 2_000
    looped: int = 50
    probed: int = 5_000
    images: int = 1_000
    clustered: int = 50_000
    clusters: int = 1_000
    features: int = 512
    classes: int = 10
    k: int = 200

    @classmethod
    def small(cls) -> "Sizes":
        """Returns sizes that take a second."""
        return cls(8, 50, 400, 20, 5, 300, 8, 200, 5, 16, 3, 10)


def gate(times: dict[str, list[float]], goals: dict[str, Goal]) -> Gate:
    """Returns median seconds, ratios, their goals (at least, at most), and whether the medians meet them."""
    held = {
        name: (low is None or found["median"] >= low) and (high is None or found["median"] <= high)
        for name, (found, low, high) in goals.items()
    }
    ratios = {name: {**found, "at_least": low, "at_most": high} for name, (found, low, high) in goals.items()}
    return {"rounds": len(next(iter(times.values()))), "cpu_s": medians(times), "ratios": ratios, "held": held}


def features(num: int, num_features: int, seed: int = 0) -> Tensor:
    """Returns ReLU-like features, (sample, feature)."""
    return torch.randn(num, num_features, generator=torch.Generator().manual_seed(seed)).relu()


def clouds(num: int, sizes: Sizes, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Returns standardised features of overlapping classes, and the classes."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(sizes.classes, sizes.features, generator=torch.Generator().manual_seed(99))
    labels = torch.randint(0, sizes.classes, (num,), generator=generator)
    h = torch.randn(num, sizes.features, generator=generator) + 0.1 * centres[labels]
    return (h - h.mean(0)) / h.std(0), labels
