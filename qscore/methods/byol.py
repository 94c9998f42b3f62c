"""Bootstrap Your Own Latent: a New Approach to Self-Supervised Learning.

Grill et al., NeurIPS 2020, https://arxiv.org/abs/2006.07733.
"""

import torch
from lightly.loss import NegativeCosineSimilarity
from lightly.models.modules import BYOLPredictionHead, BYOLProjectionHead
from torch import Tensor

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.momentum import follow, frozen_copy
from qscore.methods.optimization import Optimization
from qscore.records import StepOutput, ViewBatch


class BYOL(SSLMethod):
    """The online network predicts the teacher's projection of the other view; there are no negatives.

    The loss is the paper's eq. 2 in both directions, 2 - 2 cos each. It is not halved: LARS does not adapt the
    rates of biases and BatchNorm, so a constant factor would not cancel there.

    Args:
        encoder: The online encoder.
        optimization: Optimizer and learning rate.
        projection_dim: Width of projections and predictions.
        hidden_dim: Width of the hidden layer of both heads.
        momentum: tau_base; the teacher's momentum grows from it to 1 on a half cosine.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        projection_dim: int = 256,
        hidden_dim: int = 4096,
        momentum: float = 0.996,
    ) -> None:
        super().__init__(encoder, optimization)
        self.projection_head = BYOLProjectionHead(encoder.feature_dim, hidden_dim, projection_dim)
        self.prediction_head = BYOLPredictionHead(projection_dim, hidden_dim, projection_dim)
        self.teacher_encoder = frozen_copy(self.encoder)
        self.teacher_projection_head = frozen_copy(self.projection_head)
        self.criterion = NegativeCosineSimilarity()
        self.momentum_start = momentum

    def step(self, batch: ViewBatch) -> StepOutput:
        representations = [self.encoder(view) for view in batch.global_views]
        projections = [self.projection_head(h) for h in representations]
        first, second = (self.prediction_head(z) for z in projections)
        first_target, second_target = (self._target(view) for view in batch.global_views)
        cosines = -self.in_full_precision(self.criterion, first, second_target)
        cosines = cosines - self.in_full_precision(self.criterion, second, first_target)
        spread = projection_std(projections[0])
        return StepOutput(4 - 2 * cosines, torch.cat(representations), {"train/projection_std": spread})

    def after_optimizer_step(self) -> None:
        momentum = self.momentum(self.momentum_start, 1.0)
        follow(self.teacher_encoder, self.encoder, momentum)
        follow(self.teacher_projection_head, self.projection_head, momentum)

    @torch.no_grad()
    def _target(self, view: Tensor) -> Tensor:
        target: Tensor = self.teacher_projection_head(self.teacher_encoder(view))
        return target
