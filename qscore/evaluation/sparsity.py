"""How sparse the representations are."""

import torch

from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result
from qscore.score.rivals import hoyer

NAME = "sparsity"
NEAR_ZERO = 0.01


def sparsity(inputs: EvaluationInputs) -> Result:
    """Returns means over the held-out samples of Hoyer sparsity, of the share of features near zero, and of L1 / L2.

    A feature is near zero when its magnitude is at most 1 % of the largest one of its sample. The values of each
    sample are kept for the scatter plot of fig. A.6 of Kalibhat et al., 2022, arXiv 2203.01881v2.
    """
    h = inputs.test.h
    magnitude = h.abs()
    peak = magnitude.amax(1, keepdim=True)
    near_zero = (magnitude <= NEAR_ZERO * peak).double().mean(1)
    hoyer_values = hoyer(h)
    ratio = magnitude.sum(1) / h.norm(dim=1).clamp_min(torch.finfo(h.dtype).tiny)
    return Result(
        evaluation=NAME,
        metrics={
            "hoyer": float(hoyer_values.double().mean()),
            "share_near_zero": float(near_zero.mean()),
            "l1_over_l2": float(ratio.double().mean()),
            "share_negative": float((h < 0).double().mean()),
            "num_features": float(h.shape[1]),
        },
        settings={"near_zero": NEAR_ZERO},
        arrays={"hoyer": hoyer_values.numpy(), "near_zero": near_zero.numpy(), "l1_over_l2": ratio.numpy()},
    )
