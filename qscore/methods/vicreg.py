"""VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning.

Bardes, Ponce, LeCun, ICLR 2022, https://arxiv.org/abs/2105.04906. Not to be confused with VICRegL, which adds a
local term.
"""

import torch
from lightly.loss import VICRegLoss
from lightly.models.modules.heads import VICRegProjectionHead

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.optimization import Optimization
from qscore.records import StepOutput, ViewBatch


class VICReg(SSLMethod):
    """Projections of two views agree, vary over the batch, and are decorrelated (eq. 6).

    Each view goes through the network on its own, as in the authors' code (facebookresearch/vicreg, `main_vicreg.py`).

    Args:
        encoder: The trained encoder.
        optimization: Optimizer and learning rate.
        projection_dim: Width of all layers of the expander.
        invariance: Weight lambda of the invariance term.
        variance: Weight mu of the variance term.
        covariance: Weight nu of the covariance term.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        projection_dim: int = 8192,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
    ) -> None:
        super().__init__(encoder, optimization)
        self.projection_head = VICRegProjectionHead(encoder.feature_dim, projection_dim, projection_dim)
        self.criterion = VICRegLoss(invariance, variance, covariance, gather_distributed=True)

    def step(self, batch: ViewBatch) -> StepOutput:
        representations = [self.encoder(view) for view in batch.global_views]
        first, second = (self.projection_head(h) for h in representations)
        loss = self.in_full_precision(self.criterion, first, second)
        return StepOutput(loss, torch.cat(representations), {"train/projection_std": projection_std(first)})
