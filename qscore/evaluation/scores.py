"""Every score of the held-out samples side by side: Q-Score and its parts, its rivals, and the ceilings with labels.

All are turned so that a high value means "expected to be right", by the sign that their sources give them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.probe import Probe
from qscore.score import FORMULAS, dominant_features, q_score
from qscore.score.rivals import (
    CEILINGS,
    RIVALS,
    energy,
    feature_zscore,
    first_version,
    gini,
    hoyer,
    knn_agreement,
    knn_distance,
    l1_norm,
    l2_norm,
    local_intrinsic_dimension,
    max_feature,
    max_softmax,
    num_dominant,
    prototype_entropy,
    prototype_margin,
    prototypes,
    softmax_entropy,
    softmax_margin,
    view_consistency,
)

NUM_NEIGHBOURS = 50
LID_NEIGHBOURS = 20
Q_PARTS = ("dominant_mean", "inverse_l1")


def label_free_scores(
    inputs: EvaluationInputs, *, num_prototypes: Sequence[int] = (10, 50), num_views: int = 4
) -> dict[str, Tensor]:
    """Returns the scores that need no label, (sample,) each, higher for samples that are expected to be right.

    Args:
        inputs: The cached representations. Banks, prototypes and D are those of the training images.
        num_prototypes: Numbers of k-means centres; those above half the number of training samples are left out.
        num_views: Random views for the consistency; with 0, or without `inputs.pictures`, it is left out.
    """
    h, bank = inputs.test.h, inputs.train.h
    distances = (1 - inputs.neighbours(NUM_NEIGHBOURS)[0]).clamp_min(0)
    raw = {
        "l1_norm": l1_norm(h),
        "l2_norm": l2_norm(h),
        "max_feature": max_feature(h),
        "hoyer": hoyer(h),
        "gini": gini(h),
        **{f"knn_distance_k{k}": knn_distance(distances, min(k, len(bank))) for k in (1, 10, NUM_NEIGHBOURS)},
        "local_intrinsic_dimension": local_intrinsic_dimension(distances[:, :LID_NEIGHBOURS]),
        "num_dominant": num_dominant(h, inputs.epsilon),
        "first_version": first_version(h),
        "feature_zscore": feature_zscore(h, bank),
    }
    for num in num_prototypes:
        if num <= len(bank) // 2:
            centres = prototypes(bank, num, seed=inputs.seed)
            raw[f"prototype_entropy_{num}"] = prototype_entropy(h, centres)
            raw[f"prototype_margin_{num}"] = prototype_margin(h, centres)
    if inputs.pictures is not None and num_views:
        raw["view_consistency"] = view_consistency(h, inputs.pictures.views(num_views))
    return {name: _sign(name, RIVALS) * values for name, values in raw.items()}


def q_scores(inputs: EvaluationInputs) -> dict[str, Tensor]:
    """Returns Q-Score by each formula, and the two parts of `ratio` alone (figure A.4 of Kalibhat et al., 2022)."""
    h = inputs.test.h
    active = dominant_features(h, inputs.epsilon) & inputs.discriminative
    found = {f"q_{name}": q_score(h, inputs.discriminative, inputs.epsilon, formula=name) for name in FORMULAS}
    mean = (h * active).sum(1) / active.sum(1).clamp_min(1)
    return {**found, "dominant_mean": mean, "inverse_l1": -l1_norm(h)}


def ceilings(inputs: EvaluationInputs) -> dict[str, Tensor]:
    """Returns scores of a classifier that was given the training labels, which no label-free score is expected to beat.

    Raises:
        UserError: If the data has no labels, or one class only.
    """
    logits = probe_logits(inputs.probe, inputs.test.h)
    _, index = inputs.neighbours(NUM_NEIGHBOURS)
    raw = {
        "max_softmax": max_softmax(logits),
        "softmax_margin": softmax_margin(logits),
        "softmax_entropy": softmax_entropy(logits),
        "energy": energy(logits),
        "knn_agreement": knn_agreement(index, inputs.labels[0], torch.from_numpy(inputs.probe.predictions)),
    }
    return {name: CEILINGS[name] * values for name, values in raw.items()}


def probe_logits(probe: Probe, h: Tensor) -> Tensor:
    """Returns the probe's logits, (sample, class); the one logit z of two classes becomes -z/2 and z/2."""
    logits = torch.from_numpy(probe.model.logits(h.numpy()))
    return torch.cat([-logits / 2, logits / 2], 1) if logits.shape[1] == 1 else logits


def _sign(name: str, signs: dict[str, int]) -> int:
    """The sign of a score whose name may end with a number of prototypes."""
    return signs[name] if name in signs else signs[name.rpartition("_")[0]]
