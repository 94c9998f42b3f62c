"""Results of reverse probes as the evaluations leave them, with numbers that a test can look for."""

from pathlib import Path
from typing import Any

import numpy as np

from qscore.report.collect import ENCODER, EvaluatedEncoder
from qscore.results import Result

MEASURES = ("information_nats", "information_bits", "information_fraction", "entropy_nats", "entropy_all_nats")
MEASURES += ("nmi", "ami", "top1", "top5", "mean_average_precision")
SCALE = np.array([2.0, 2.9, 0.6, 3.3, 3.4, 0.7, 0.6, 0.65, 0.9, 0.6])
GROUPS = ("objects", "scene", "colour")


def probed(
    name: str = "run",
    *,
    role: str = ENCODER,
    seed: int | None = 0,
    level: float = 1.0,
    num_clusterings: int = 5,
    without: tuple[str, ...] = (),
    without_metrics: tuple[str, ...] = (),
    num_pairs: int = 2,
    num_samples: int = 300,
    groups: tuple[str, ...] = GROUPS,
    linear: float | None = 0.8,
    **settings: Any,
) -> EvaluatedEncoder:
    """An encoder with every part of a result but those in `without` (beginnings of the names of arrays)."""
    generator = np.random.default_rng(abs(int(1000 * level)))

    def drawn(*shape: int, mean: float = level) -> np.ndarray:
        return SCALE * (mean + 0.01 * generator.normal(size=(*shape, num_clusterings, len(SCALE))))

    each, shuffled = drawn(), SCALE * (0.02 * generator.normal(size=(num_clusterings, 3, len(SCALE))) + 0.03)
    steps = ["labels", *(f"+ {group}" for group in groups)]
    rising = np.cumsum([0.6, *(0.2 / 3**i for i in range(len(groups)))])
    rising[-1] -= 0.05
    arrays = {
        "measures": np.array(MEASURES),
        "clusterings": each,
        "shuffled": shuffled,
        "cumulative_steps": np.array(steps),
        "cumulative": np.stack([drawn(mean=level * at) for at in rising]),
        "cumulative_without_steps": np.array([groups[0], *steps[2:]]),
        "cumulative_without": np.stack([drawn(mean=level * at - 0.3) for at in rising[1:]]),
        "added_groups": np.array(groups),
        "added": np.stack([drawn(mean=0.2 / (i + 1) - 0.02) for i in range(len(groups))]),
        "added_shuffled": np.stack([drawn(mean=-0.01) for _ in groups]),
        "labels_alone": drawn(mean=0.6),
        "ks": np.array([5, 10, 20, 40, 80]),
        "by_k": np.stack([drawn(mean=level * at) for at in (0.7, 0.8, 0.95, 1.0, 1.02)]),
        "by_k_shuffled": np.stack([drawn(mean=0 * level) for _ in range(5)]),
        **_pairs(num_pairs, groups, generator),
        **_samples(num_samples, generator),
    }
    metrics = _metrics(each, shuffled) | {"num_clusters": 10, "num_concepts": 40, "num_samples": num_samples}
    for i, key in enumerate(("surprise_q_spearman", "auroc_surprise", "auroc_q", "auroc_both", "auroc_rarity")):
        middle = -0.2 if i == 0 else 0.6 + 0.05 * i
        metrics |= {f"bridge/{key}": middle, f"bridge/{key}_low": middle - 0.05, f"bridge/{key}_high": middle + 0.05}
    chosen = {"num_clusters": 10, "num_clusterings": num_clusterings, "grouping": "k-means", "groups": list(groups)}
    kept = {key: value for key, value in arrays.items() if not key.startswith(without or "\0")}
    known = {key: value for key, value in metrics.items() if not key.startswith(without_metrics or "\0")}
    results = {"reverse_probing": Result("reverse_probing", known, chosen | settings, kept)}
    if linear is not None:
        results["linear_probe"] = Result("linear_probe", {"top1": linear})
    return EvaluatedEncoder(name, role, Path(name), {} if seed is None else {"seed": seed}, results, [])


def moved(encoder: EvaluatedEncoder, *datasets: str) -> EvaluatedEncoder:
    """The same with its probes carried to other data sets."""
    metrics: dict[str, float | None] = {}
    source = encoder.results["reverse_probing"].metrics
    places = [("source", 1.0), *((f"{name}/stored", 0.3) for name in datasets), *((f"{d}/own", 0.7) for d in datasets)]
    for prefix, share in places:
        for name in MEASURES:
            value = source.get(name)
            metrics[f"{prefix}/{name}"] = None if value is None else share * value
            metrics[f"{prefix}/{name}_sd"] = 0.01
    result = Result("reverse_transfer", metrics, arrays={"datasets": np.array(datasets)})
    encoder.results["reverse_transfer"] = result
    return encoder


def _metrics(each: np.ndarray, shuffled: np.ndarray) -> dict[str, float | None]:
    metrics: dict[str, float | None] = {}
    for prefix, found in (("", each), ("shuffled/", shuffled.mean(1))):
        for i, name in enumerate(MEASURES):
            metrics[f"{prefix}{name}"] = float(found[:, i].mean())
            metrics[f"{prefix}{name}_sd"] = float(found[:, i].std(ddof=1)) if len(found) > 1 else None
    return metrics


def _pairs(num: int, groups: tuple[str, ...], generator: np.random.Generator) -> dict[str, np.ndarray]:
    size, names = 24, [f"[COCO things] number {i}" if i % 3 else f"wool {i}" for i in range(12)]
    theta = np.array([sorted(generator.normal(size=12), key=lambda t: -abs(t)) for _ in range(num)]).reshape(num, 12)
    shades = np.arange(2 * num).reshape(num, 2, 1, 1, 1, 1) * 255 // max(1, 2 * num)
    return {
        "pair_group": np.array([groups[i % len(groups)] for i in range(num)], dtype=np.str_),
        "pair_clusters": np.arange(2 * num).reshape(num, 2),
        "pair_counts": np.full((num, 2), 31),
        "pair_confusion": np.tile([0.31, 0.042], (num, 1)),
        "pair_p": np.full(num, 1.3e-5),
        "pair_labels": np.tile(["French horn", ""], (num, 1)),
        "pair_images": (generator.integers(0, 120, (num, 2, 25, size, size, 3)) + shades // 2).astype(np.uint8),
        "pair_num_images": np.tile([25, 7], (num, 1)),
        "pair_concepts": np.tile(names, (num, 1)),
        "pair_theta": theta,
    }


def _samples(num: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    wrong = generator.random(num) < 0.2
    surprise = generator.gamma(1.5, 0.6, num) + wrong
    return {"surprise": surprise, "q": generator.beta(2, 3, num) - 0.1 * wrong, "misclassified": wrong}
