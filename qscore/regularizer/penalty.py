"""The regularization term of eq. 4, representations in and a number to add to a loss out."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from qscore.errors import UserError, unknown_name
from qscore.processes import mean_over_processes, sum_over_processes
from qscore.score import dominant_features, q_score

BATCH_MEAN = "batch_mean"
FINAL_PAPER_COLUMN_WEIGHT = 1e-4


@dataclass(frozen=True)
class PenaltyStatistics:
    """What one call of the penalty saw; detached, on the device of the representations.

    Attributes:
        q: Q-Score of each view.
        term: Mean of -relu(threshold - Q).
        share_below: Share of the views under the threshold.
        share_empty: Share of the views with an empty L ∩ D, which the term cannot reach.
    """

    q: Float[Tensor, " view"]
    term: Float[Tensor, ""]
    share_below: Float[Tensor, ""]
    share_empty: Float[Tensor, ""]

    def as_log(self) -> dict[str, Tensor]:
        """Returns the numbers to log, by name."""
        return {f"q_score/{name}": getattr(self, name) for name in ("term", "share_below", "share_empty")}


class QScorePenalty(nn.Module):
    """Raises the Q-Score of the views that are below a threshold.

    Eq. 4 of Kalibhat et al. (2022, arXiv 2203.01881v2) maximises weight * mean 1[Q_i < threshold] Q_i. Its value
    falls by the threshold when a view crosses it, so the term here is mean -relu(threshold - Q_i), which has the
    same gradient and is continuous. The final version (AAAI 2024) subtracts column_weight times the sum of the
    L1 norms of those columns of the batch (features) whose norm is above the average, on L2-normalised
    representations, against the collapse to a few features that are active for every sample.

    Over several devices the batch is that of all of them: the mean of their terms is the term of one device.

    Args:
        discriminative: The set D.
        weight: The paper's lambda. With 0 the term is computed for its statistics, without gradient.
        epsilon: Standard deviations above the mean that make a feature dominant.
        threshold: The paper's alpha: a number, or "batch_mean" for the mean Q of each batch (the final version;
            it always selects part of the batch and was seen to collapse an encoder at a large weight).
        formula: "ratio", "centered" or "soft", see `qscore.q_score`.
        column_weight: Weight of the second term; by default 0 for "ratio", and the final version's 1e-4 for
            "centered".

    Attributes:
        statistics: What the last call saw; None before the first.

    Raises:
        UserError: If a weight is negative or the threshold is not a number.

    >>> import torch
    >>> penalty = QScorePenalty(torch.tensor([False] * 4 + [True]), weight=2.0, epsilon=1.5, threshold=0.8)
    >>> penalty(torch.tensor([[0.0, 0.0, 0.0, 1.0, 3.0], [0.0, 0.0, 0.0, 0.0, 1.0]]))  # Q = 0.75 and 1
    tensor(0.0500)
    """

    discriminative: Tensor

    def __init__(
        self,
        discriminative: Bool[Tensor, " feature"],
        *,
        weight: float = 0.1,
        epsilon: float = 4.0,
        threshold: float | str = BATCH_MEAN,
        formula: str = "ratio",
        column_weight: float | None = None,
    ) -> None:
        super().__init__()
        if isinstance(threshold, str) and threshold != BATCH_MEAN:
            raise unknown_name("threshold of a penalty", threshold, [BATCH_MEAN, "or a number"])
        if weight < 0 or (column_weight or 0) < 0:
            raise UserError(f"Expected weights of at least 0, got {weight} and {column_weight}; 0 is the control.")
        if column_weight is None:
            column_weight = FINAL_PAPER_COLUMN_WEIGHT if formula == "centered" and weight > 0 else 0.0
        self.weight, self.epsilon, self.threshold = weight, epsilon, threshold
        self.formula, self.column_weight = formula, column_weight
        self.statistics: PenaltyStatistics | None = None
        self.register_buffer("discriminative", discriminative.clone(), persistent=False)

    def forward(self, representations: Float[Tensor, "view feature"]) -> Float[Tensor, ""]:
        """Returns what is to be added to a loss that is minimised."""
        h = representations.float() if self.weight else representations.detach().float()
        active = dominant_features(h, self.epsilon) & self.discriminative
        q = q_score(h, self.discriminative, self.epsilon, formula=self.formula)
        threshold = mean_over_processes(q.detach().mean()) if isinstance(self.threshold, str) else self.threshold
        term = -F.relu(threshold - q).mean()
        self.statistics = PenaltyStatistics(
            q=q.detach(),
            term=term.detach(),
            share_below=(q.detach() < threshold).float().mean(),
            share_empty=(~active.any(-1)).float().mean(),
        )
        penalty = -self.weight * term
        if self.column_weight:
            penalty = penalty + self.column_weight * loud_columns(representations.float())
        return penalty


def loud_columns(representations: Float[Tensor, "view feature"]) -> Float[Tensor, ""]:
    """Returns the sum of the L1 norms of the columns whose norm is above the mean of all columns.

    The columns are those of the batch of all devices.

    sum_k 1[||H_k||_1 > beta] ||H_k||_1 with L2-normalised rows and beta the mean over k (Kalibhat et al.,
    AAAI 2024, 10.1609/aaai.v38i12.29201, eq. 3).

    >>> import torch
    >>> loud_columns(torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]]))
    tensor(1.6000)
    """
    norms = sum_over_processes(F.normalize(representations, dim=-1).abs().sum(0))
    return (norms * (norms.detach() > norms.detach().mean())).sum()
