"""What a discriminative and a noisy feature of a class look at, in images that the probe gets right and wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qscore.errors import UserError, unknown_name
from qscore.evaluation.attribution import KINDS, feature_heatmaps, has_tokens
from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.pictures import Pictures
from qscore.installation import command
from qscore.results import Result

NAME = "heatmaps"
ACTIVE_SHARE = 0.5
FEATURES = ("discriminative", "noisy")


@dataclass(frozen=True)
class Chosen:
    """What is drawn of a class.

    Attributes:
        label: The class.
        features: Its strongest discriminative feature and a noisy one.
        rows: Held-out samples, the right ones first.
    """

    label: int
    features: tuple[int, int]
    rows: list[int]


def heatmaps(
    inputs: EvaluationInputs,
    *,
    classes: Sequence[str] | None = None,
    num_classes: int = 4,
    num_samples: int = 2,
    kinds: Sequence[str] = KINDS,
) -> Result:
    """Returns heat maps of two features of some classes (figs. 6, 8, A.7 and A.9 to A.12 of Kalibhat et al., 2022).

    The strongest discriminative feature of a class is the one of D with the largest mean over its training samples; the
    noisy one is, outside D, that of the smallest mean magnitude among the features that are not exactly 0 for at least
    half of them (the paper's "non-zero but small values": behind a ReLU a zero has no gradient). Both are chosen on
    training samples, so that right and wrong held-out ones can be compared. Each map is stored divided by its largest
    magnitude, which is kept in `peaks`.

    Args:
        inputs: The cached representations, with their pictures.
        classes: Names; by default `num_classes` drawn by the seed alone, the same for every encoder.
        num_classes: How many to draw.
        num_samples: Right and wrong samples of each class.
        kinds: See `feature_heatmaps`.

    Raises:
        UserError: If the images are not at hand or have no labels, or a class or kind is unknown.
    """
    if inputs.pictures is None:
        raise UserError(
            f"Expected the images behind the representations for heat maps; run {command('evaluate')} on them."
        )
    labels, names = inputs.labels[1], inputs.test.class_names
    settings = {**inputs.settings(), "kinds": list(kinds), "tokens": has_tokens(inputs.pictures.encoder.network)}
    if not inputs.discriminative.any():
        return Result(NAME, {}, settings, notes=("D is empty: no class has a discriminative feature to look at.",))
    chosen = [_choose(inputs, label, num_samples) for label in _classes(inputs, classes, num_classes)]
    rows = [row for choice in chosen for row in choice.rows]
    images = inputs.pictures.plain(inputs.pictures.positions(inputs.test.ids[row] for row in rows))
    features = torch.tensor([choice.features for choice in chosen for _ in choice.rows])
    maps, peaks = _maps(inputs.pictures, images, features, kinds)
    correct = inputs.probe.correct[rows]
    without = [names[c.label] for c in chosen if inputs.probe.correct[c.rows].all()]
    return Result(
        evaluation=NAME,
        metrics=_metrics(inputs, chosen),
        settings=settings,
        arrays={
            "images": (images * 255).round().byte().permute(0, 2, 3, 1).numpy(),
            "maps": maps,
            "peaks": peaks,
            "features": features.numpy(),
            "labels": np.array([names[int(labels[row])] for row in rows], dtype=str),
            "predictions": np.array([names[int(inputs.probe.predictions[row])] for row in rows], dtype=str),
            "correct": correct,
            "ids": np.array([inputs.test.ids[row] for row in rows], dtype=str),
        },
        notes=tuple(f"The probe gets every held-out sample of {name} right: no wrong one to draw." for name in without),
    )


def _classes(inputs: EvaluationInputs, names: Sequence[str] | None, num: int) -> list[int]:
    known = list(inputs.test.class_names)
    if names is not None:
        unknown = [name for name in names if name not in known]
        if unknown:
            raise unknown_name("class", unknown[0], known)
        absent = [name for name in names if not all((labels == known.index(name)).any() for labels in inputs.labels)]
        if absent:
            raise UserError(f"Expected a class with training and held-out images, got {absent[0]} without.")
        return [known.index(name) for name in names]
    train, test = (torch.unique(labels).tolist() for labels in inputs.labels)
    present = sorted(set(train) & set(test))
    return sorted(int(c) for c in np.random.default_rng(inputs.seed).permutation(present)[:num])


def _choose(inputs: EvaluationInputs, label: int, num_samples: int) -> Chosen:
    h = inputs.train.h[inputs.labels[0] == label]
    outside = ~inputs.discriminative
    mean = h.mean(0)
    strongest = int(mean.masked_fill(outside, -torch.inf).argmax())
    if not outside.any():
        outside = torch.arange(len(mean)) != strongest
    active = (h != 0).double().mean(0)
    wanted = outside & (active >= min(ACTIVE_SHARE, float(active[outside].max())))
    noisy = int(h.abs().mean(0).masked_fill(~wanted, torch.inf).argmin())
    own = np.flatnonzero(inputs.labels[1].numpy() == label)
    order = np.random.default_rng([inputs.seed, label]).permutation(own)
    right = [int(row) for row in order if inputs.probe.correct[row]][:num_samples]
    wrong = [int(row) for row in order if not inputs.probe.correct[row]][:num_samples]
    return Chosen(label, (strongest, noisy), right + wrong)


def _maps(pictures: Pictures, images: Tensor, features: Tensor, kinds: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(sample, feature, kind, height, width) in [-1, 1], and what each was divided by."""
    found = torch.stack(
        [
            torch.stack([feature_heatmaps(pictures.encoder, images, column, kind=kind) for kind in kinds], 1)
            for column in features.unbind(1)
        ],
        1,
    )
    peaks = found.abs().amax((-2, -1), keepdim=True)
    scaled = found / torch.where(peaks > 0, peaks, torch.ones_like(peaks))
    return scaled.half().numpy(), peaks[..., 0, 0].numpy()


def _metrics(inputs: EvaluationInputs, chosen: Sequence[Chosen]) -> dict[str, float | None]:
    """Mean activation of both features over all right and all wrong held-out samples of the classes drawn."""
    metrics: dict[str, float | None] = {}
    for i, feature in enumerate(FEATURES):
        for name, wanted in (("right", True), ("wrong", False)):
            judged = torch.from_numpy(inputs.probe.correct == wanted)
            together = torch.cat([inputs.test.h[judged & (inputs.labels[1] == c.label), c.features[i]] for c in chosen])
            metrics[f"{feature}/mean_{name}"] = float(together.mean()) if len(together) else None
    return metrics
