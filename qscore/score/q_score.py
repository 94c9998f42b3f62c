"""The Q-Score of a representation, in the two published forms and in a smooth one that is never empty."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torchmetrics import Metric

from qscore.errors import UserError, unknown_name
from qscore.score.chunks import by_rows
from qscore.score.dominance import dominant_features

OVER_SETS = ("ratio", "centered")
FORMULAS = (*OVER_SETS, "soft")
SHARPNESS = 1.0
FLAT = 1e-6


def q_score(
    h: Float[Tensor, "sample feature"],
    discriminative: Bool[Tensor, " _"],
    epsilon: float = 4.0,
    *,
    formula: str = "ratio",
) -> Float[Tensor, " sample"]:
    """Returns the Q-Score of each sample: high where strong discriminative features stand on little noise.

    With S_i = L_i ∩ D, the dominant features of sample i that are discriminative:

    - "ratio": Q_i = mean over S_i of h_ij, divided by ||h_i||_1 (eq. 3 of Kalibhat et al., 2022,
      arXiv 2203.01881v2);
    - "centered": Q_i = mean over S_i of (h_ij - mu_i), with h_i divided by its L2 norm (eq. 1 of the final
      version, AAAI 2024, 10.1609/aaai.v38i12.29201);
    - "soft": "centered" over all of D, each feature weighed by how far it is over the threshold, see `soft_score`.

    All ignore the scale of h_i. Neither paper says what an empty S_i gives: here the first two are 0, without
    gradient. S_i is a constant for their gradient; that of "soft" flows through its weights.

    Args:
        h: Representations, before the projection head; computed in float32 whatever comes in.
        discriminative: The set D.
        epsilon: Standard deviations above the mean that make a feature dominant.
        formula: "ratio", "centered" or "soft".

    Returns:
        Q of each sample, float32. "ratio" lies in [0, 1] for h >= 0 and is of the order 1 / feature.

    Raises:
        UserError: If the formula is unknown or D is not of the width of h.

    >>> h = torch.tensor([[0.0, 0.0, 0.0, 1.0, 3.0]])
    >>> q_score(h, torch.tensor([False, False, False, False, True]), epsilon=1.5)
    tensor([0.7500])
    >>> q_score(h, torch.tensor([True, True, True, True, False]), epsilon=1.5)
    tensor([0.])
    """
    if discriminative.shape[0] != h.shape[-1]:
        raise UserError(
            f"Expected a discriminative set over {h.shape[-1]} features, got one over {discriminative.shape[0]}; "
            "it was mined with another encoder."
        )
    if formula == "soft":
        return by_rows(lambda part: soft_score(part, discriminative, epsilon), h)
    return by_rows(lambda part: score_over(dominant_features(part, epsilon) & discriminative, part, formula=formula), h)


def score_over(
    active: Bool[Tensor, "sample feature"], h: Float[Tensor, "sample feature"], *, formula: str = "ratio"
) -> Float[Tensor, " sample"]:
    """Returns "ratio" or "centered" of each sample over given sets S_i, see `q_score`.

    >>> score_over(torch.tensor([[False, True, True]]), torch.tensor([[1.0, 1.0, 2.0]]))
    tensor([0.3750])
    """
    if formula not in OVER_SETS:
        raise unknown_name("formula", formula, FORMULAS)
    h = _unit_peak(h)
    if formula == "ratio":
        return _mean_over(active, h) / h.abs().sum(-1).clamp_min(1.0)  # a non-zero row has a peak of 1
    h = F.normalize(h, dim=-1)
    return _mean_over(active, h - h.mean(-1, keepdim=True))


def soft_score(
    h: Float[Tensor, "sample feature"],
    discriminative: Bool[Tensor, " feature"],
    epsilon: float = 4.0,
    *,
    sharpness: float = SHARPNESS,
) -> Float[Tensor, " sample"]:
    """Returns the sum over D of w_ij (h_ij - mu_i), with h_i divided by its L2 norm and weights that sum to 1.

    w_ij is proportional to sigmoid(sharpness (z_ij - epsilon)), z_ij = (h_ij - mu_i) / sigma_i. Features far above the
    threshold weigh alike, so that it is "centered" for a sample with a clear L ∩ D; where none reaches the threshold,
    the nearest of D stand in for it. It has therefore a value and a gradient for every sample, 0 only where D is empty.
    No paper has it; docs/study/README.md says how it was chosen, and that it did not predict errors better than the
    published forms.

    Args:
        h: Representations; computed in float32.
        discriminative: The set D.
        epsilon: Standard deviations above the mean where a weight is half of the largest one possible.
        sharpness: How quickly a weight falls below the threshold, per standard deviation; infinite is "centered".

    >>> h = torch.tensor([[0.0, 0.0, 0.0, 1.0, 3.0]])
    >>> soft_score(h, torch.tensor([False, False, False, False, True]), epsilon=4.0)  # (3 - 0.8) / sqrt(10)
    tensor([0.6957])
    """
    h = _unit_peak(h)
    mean, deviation = h.mean(-1, keepdim=True), h.std(-1, correction=0, keepdim=True)
    varies = deviation > FLAT  # a constant sample has no z, and must have no gradient through one
    z = torch.where(varies, (h - mean) / torch.where(varies, deviation, 1.0), 0.0)
    chosen = discriminative | ~discriminative.any()  # an empty D has no weights: any will do, times 0
    weights = F.logsigmoid(sharpness * (z - epsilon)).masked_fill(~chosen, -torch.inf).softmax(-1)
    unit = F.normalize(h, dim=-1)
    return (weights * (unit - unit.mean(-1, keepdim=True))).sum(-1) * discriminative.any()


class QScore(Metric):
    """Mean Q-Score over all samples seen; sums over devices.

    Args:
        discriminative: The set D.
        epsilon: Standard deviations above the mean that make a feature dominant.
        formula: "ratio", "centered" or "soft", see `q_score`.

    >>> metric = QScore(torch.ones(5, dtype=torch.bool), epsilon=1.5)
    >>> metric(torch.tensor([[0.0, 0.0, 0.0, 1.0, 3.0], [1.0, 1.0, 1.0, 1.0, 1.0]]))
    tensor(0.3750)
    """

    higher_is_better = True
    is_differentiable = False
    full_state_update = False
    discriminative: Tensor
    total: Tensor
    num_samples: Tensor

    def __init__(
        self,
        discriminative: Bool[Tensor, " feature"],
        epsilon: float = 4.0,
        *,
        formula: str = "ratio",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.register_buffer("discriminative", discriminative.clone(), persistent=False)
        self.epsilon, self.formula = epsilon, formula
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("num_samples", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, h: Float[Tensor, "sample feature"]) -> None:
        """Adds the representations of a batch."""
        scores = q_score(h.detach(), self.discriminative, self.epsilon, formula=self.formula)
        self.total += scores.sum()
        self.num_samples += scores.numel()

    def compute(self) -> Float[Tensor, ""]:
        """Returns the mean Q-Score."""
        return (self.total / self.num_samples).float()


def _unit_peak(h: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample feature"]:
    """Divides each row by its largest magnitude, so that no sum over- or underflows; Q ignores scale."""
    h = h.float()
    peak = h.detach().abs().amax(-1, keepdim=True)
    return h / torch.where(peak > 0, peak, torch.ones_like(peak))


def _mean_over(
    active: Bool[Tensor, "sample feature"], values: Float[Tensor, "sample feature"]
) -> Float[Tensor, " sample"]:
    """Mean of the active values of each row; 0 where none is active."""
    return (values * active).sum(-1) / active.sum(-1).clamp_min(1)
