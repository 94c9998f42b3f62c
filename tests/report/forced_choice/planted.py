"""Results of the automatic evaluation of groups, with numbers that a test can look for."""

from pathlib import Path
from typing import Any

import numpy as np

from qscore.report.collect import ENCODER, EvaluatedEncoder
from qscore.results import Result

ROWS = ("random_image", "nearest_image", "rouge", "captions_without_negatives", "captions", "descriptions")
LEVELS = dict(zip(ROWS, (0.55, 0.62, 0.7, 0.78, 0.81, None), strict=True))


def evaluated(
    name: str = "run",
    *,
    role: str = ENCODER,
    without: tuple[str, ...] = (),
    without_metrics: tuple[str, ...] = (),
    num_groups: int = 12,
    labels: bool = True,
    **settings: Any,
) -> EvaluatedEncoder:
    """An encoder with every part of a result but those in `without` (beginnings of the names of arrays)."""
    generator = np.random.default_rng(0)
    metrics: dict[str, float | None] = {"num_groups": float(num_groups), "num_captions": 7.0}
    metrics |= {"num_captions_without_stopwords": 5.0, "purity": 0.8 if labels else None}
    metrics |= dict(zip(("nmi", "ami", "ari"), (0.7, 0.6, 0.5) if labels else (None,) * 3, strict=True))
    for row, level in LEVELS.items():
        of_all = {} if level is None else {"top1": level / 2, "top5": level / 1.5, "binary": level, "binary_sd": 0.004}
        metrics |= {f"{row}/{key}": of_all.get(key) for key in ("top1", "top5", "binary", "binary_sd")}
        metrics |= {f"{row}/recall1": 0.4 if level else 0.66, f"{row}/recall5": 0.7}
    metrics |= {"chance/top1": 0.05, "chance/top5": 0.25, "chance/recall1": 0.08, "chance/recall5": 0.31}
    metrics |= {"features/num_discriminative": 9.0, "features/num_outside": 6.0}
    metrics |= {"features/discriminative": 0.8, "features/outside": 0.7, "features/outside_rarer": 0.7}
    for key, middle in (("difference", 0.1), ("difference_adjusted", 0.04)):
        metrics |= {f"features/{key}{end}": middle + at for end, at in (("", 0.0), ("_low", -0.06), ("_high", 0.06))}
    known = {key: value for key, value in metrics.items() if not key.startswith(without_metrics or "\0")}
    arrays = {**_groups(num_groups, labels, generator), **_features(generator)}
    kept = {key: value for key, value in arrays.items() if not key.startswith(without or "\0")}
    chosen = {"grouping": "k-means", "captions": "labels", "sentence_encoder": "tfidf", **settings}
    return EvaluatedEncoder(
        name, role, Path(name), {"seed": 0}, {"forced_choice": Result("forced_choice", known, chosen, kept)}, []
    )


def _groups(num: int, labels: bool, generator: np.random.Generator) -> dict[str, np.ndarray]:
    chosen, size = np.arange(0, num, 2), 32
    shades = 20 * np.arange(len(chosen))[:, None, None, None, None]
    return {
        "group": np.arange(num),
        "size": np.arange(4, 4 + num),
        "purity": np.linspace(0.35, 1, num) if labels else np.full(num, np.nan),
        "mean_q": np.linspace(0.2, 0.4, num),
        "information": np.full(num, np.nan),
        "caption": np.array([f"a caption of group {i}" for i in range(num)]),
        "caption_without_negatives": np.array(["an object"] * num),
        "caption_rouge": np.array([""] * num),
        "description": np.array([""] * num),
        "hard_negative": np.where(np.arange(num) > 0, np.arange(num) - 2, -1),
        "binary": np.linspace(0.4, 1, num),
        "top1": np.linspace(0, 1, num),
        "common_label": np.array([f"label {i}" if labels else "" for i in range(num)]),
        "chosen": np.arange(num) % 2 == 0,
        "chosen_low": np.where((np.arange(num) % 2 == 0) & labels, 0.3, np.nan),
        "examples": (generator.integers(0, 90, (len(chosen), 10, size, size, 3)) + shades)
        .clip(0, 255)
        .astype(np.uint8),
        "examples_group": chosen,
        "frequent_captions": np.array(["an object", "a dog in a dog", ""]),
        "frequent_counts": np.array([6, 2, 0]),
    }


def _features(generator: np.random.Generator) -> dict[str, np.ndarray]:
    band = np.array(["discriminative"] * 9 + ["outside"] * 6)
    return {
        "feature": np.arange(15),
        "feature_band": band,
        "feature_binary": np.where(band == "outside", 0.7, 0.8) + 0.05 * generator.normal(size=15),
        "feature_size": np.where(band == "outside", 12, 60) + generator.integers(0, 30, 15),
        "feature_caption": np.array(["a caption"] * 15),
    }
