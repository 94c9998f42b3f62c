"""Discriminative features (Kalibhat et al., 2022, arXiv 2203.01881v2, section 4)."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchmetrics import Metric

from qscore.errors import UserError
from qscore.score.dominance import dominance_counts


def discriminative_features(
    counts: Int[Tensor, " feature"], *, lower: float = 0.5, upper: float = 0.95
) -> Bool[Tensor, " feature"]:
    """Returns the set D: the middle of the features, sorted by the number of samples they are dominant for.

    The paper drops the lower tail (image-specific) and the upper tail (too general) of its figure 3 and gives
    no rule; the final version (AAAI 2024, 10.1609/aaai.v38i12.29201) names the 50th and the 95th percentile.
    Percentiles are taken over the features that are dominant at least once: with more than half of the
    features silent the median of all counts is 0, and every silent feature would enter D.

    Args:
        counts: Number of samples for which each feature is dominant.
        lower: Quantile of the non-zero counts where D begins, inclusive, in [0, 1].
        upper: Quantile where D ends, inclusive.

    Returns:
        True for the features of D; all False where no feature is dominant for any sample.

    >>> discriminative_features(torch.tensor([0, 0, 1, 2, 3, 4, 90]), lower=0.25, upper=0.75)
    tensor([False, False, False,  True,  True,  True, False])
    """
    exact = counts.cpu().double()  # an integer tensor would be compared with a number in float32
    active = exact[exact > 0]
    if active.numel() == 0:
        return torch.zeros_like(counts, dtype=torch.bool)
    low, high = (torch.quantile(active, q) for q in (lower, upper))
    return ((exact > 0) & (exact >= low) & (exact <= high)).to(counts.device)


class DiscriminativeFeatures(Metric):
    """Counts for how many samples each feature is dominant, and returns D, the middle of the sorted counts.

    Feed it the representations of clean (un-augmented) training images, computed in eval mode. Counts sum over
    devices.

    Args:
        num_features: Number of features r of a representation.
        epsilon: Standard deviations above the mean that make a feature dominant (eq. 2).
        lower: Quantile of the non-zero counts where D begins.
        upper: Quantile where it ends.

    Raises:
        UserError: If `num_features` or the quantiles are out of range, or representations of another width come.

    >>> mined = DiscriminativeFeatures(5, epsilon=1.5, lower=0.0, upper=1.0)
    >>> mined.update(torch.tensor([[9.0, 0, 0, 0, 0], [0, 9.0, 0, 0, 0], [0, 9.0, 0, 0, 0]]))
    >>> mined.counts.tolist(), mined.compute().tolist()
    ([1, 2, 0, 0, 0], [True, True, False, False, False])
    """

    higher_is_better = None
    is_differentiable = False
    full_state_update = False
    counts: Tensor
    num_samples: Tensor

    def __init__(
        self,
        num_features: int,
        epsilon: float = 4.0,
        *,
        lower: float = 0.5,
        upper: float = 0.95,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_features < 1:
            raise UserError(f"num_features must be at least 1, got {num_features}; pass encoder.feature_dim.")
        if not 0 <= lower < upper <= 1:
            raise UserError(f"Expected 0 <= lower < upper <= 1, got lower={lower} and upper={upper}.")
        self.num_features, self.epsilon, self.lower, self.upper = num_features, epsilon, lower, upper
        self.add_state("counts", torch.zeros(num_features, dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("num_samples", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, h: Float[Tensor, "sample _"]) -> None:
        """Adds the representations of a batch."""
        if h.shape[-1] != self.num_features:
            raise UserError(
                f"Expected representations of {self.num_features} features, got {h.shape[-1]}; "
                "mine the features with the encoder that made the representations."
            )
        self.counts += dominance_counts(h.detach(), self.epsilon)
        self.num_samples += h.shape[0]

    def compute(self) -> Bool[Tensor, " feature"]:
        """Returns True for the features of D."""
        return discriminative_features(self.counts, lower=self.lower, upper=self.upper)
