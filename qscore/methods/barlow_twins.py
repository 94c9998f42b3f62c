"""Barlow Twins: Self-Supervised Learning via Redundancy Reduction.

Zbontar, Jing, Misra, LeCun, Deny, ICML 2021, https://arxiv.org/abs/2103.03230.
"""

import torch
from jaxtyping import Float
from lightly.models.modules import BarlowTwinsProjectionHead
from torch import Tensor, nn

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.optimization import Optimization
from qscore.processes import mean_over_processes
from qscore.records import StepOutput, ViewBatch


class BarlowTwins(SSLMethod):
    """The cross-correlation of the projections of two views approaches the identity (eqs. 1-2).

    Each view goes through the network on its own, as in the authors' code (facebookresearch/barlowtwins, `main.py`),
    and projections are standardised by a BatchNorm, which over several devices is synchronised like the others;
    lightly's loss standardises the batch of each device by itself.

    A departure: biases and norms share the learning rate of the weights; the authors give them 0.0048 beside 0.2.

    Args:
        encoder: The trained encoder.
        optimization: Optimizer and learning rate.
        projection_dim: Width of all layers of the projection head.
        redundancy_weight: lambda of eq. 1, the weight of the off-diagonal terms.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        projection_dim: int = 8192,
        redundancy_weight: float = 5e-3,
    ) -> None:
        super().__init__(encoder, optimization)
        self.projection_head = BarlowTwinsProjectionHead(encoder.feature_dim, projection_dim, projection_dim)
        self.standardisation = nn.BatchNorm1d(projection_dim, affine=False, track_running_stats=False)
        self.redundancy_weight = redundancy_weight

    def step(self, batch: ViewBatch) -> StepOutput:
        representations = [self.encoder(view) for view in batch.global_views]
        first, second = (self.projection_head(h) for h in representations)
        loss = self.in_full_precision(self._loss, first, second)
        return StepOutput(loss, torch.cat(representations), {"train/projection_std": projection_std(first)})

    def _loss(self, first: Tensor, second: Tensor) -> Tensor:
        correlations = cross_correlations(self.standardisation(first), self.standardisation(second))
        return redundancy(correlations, self.redundancy_weight)


def cross_correlations(first: Float[Tensor, "image a"], second: Float[Tensor, "image b"]) -> Float[Tensor, "a b"]:
    """Returns C of eq. 2, of standardised projections, over the batch of all devices."""
    return mean_over_processes(first.T @ second / len(first))


def redundancy(correlations: Float[Tensor, "a a"], weight: float) -> Float[Tensor, ""]:
    """Returns eq. 1: sum_i (1 - C_ii)^2 + weight sum_i sum_{j != i} C_ij^2.

    >>> redundancy(torch.tensor([[1.0, 2.0], [0.0, 0.5]]), weight=0.5)
    tensor(2.2500)
    """
    diagonal = correlations.diagonal()
    off_diagonal = correlations.square().sum() - diagonal.square().sum()
    return (1 - diagonal).square().sum() + weight * off_diagonal
