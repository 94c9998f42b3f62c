"""Barlow Twins: Self-Supervised Learning via Redundancy Reduction.

Zbontar, Jing, Misra, LeCun, Deny, ICML 2021, https://arxiv.org/abs/2103.03230.
"""

import torch
from lightly.loss import BarlowTwinsLoss
from lightly.models.modules import BarlowTwinsProjectionHead

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.optimization import Optimization
from qscore.records import StepOutput, ViewBatch


class BarlowTwins(SSLMethod):
    """The cross-correlation of the projections of two views approaches the identity (eqs. 1-2).

    Each view goes through the network on its own, as in the authors' code (facebookresearch/barlowtwins, `main.py`). A
    departure: biases and norms share the learning rate of the weights; the authors give them 0.0048 beside 0.2.

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
        self.criterion = BarlowTwinsLoss(redundancy_weight, gather_distributed=True)

    def step(self, batch: ViewBatch) -> StepOutput:
        representations = [self.encoder(view) for view in batch.global_views]
        first, second = (self.projection_head(h) for h in representations)
        loss = self.criterion(first, second)
        return StepOutput(loss, torch.cat(representations), {"train/projection_std": projection_std(first)})
