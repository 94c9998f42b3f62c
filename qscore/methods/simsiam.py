"""Exploring Simple Siamese Representation Learning (SimSiam).

Chen, He, CVPR 2021, https://arxiv.org/abs/2011.10566.
"""

import torch
from lightly.loss import NegativeCosineSimilarity
from lightly.models.modules import SimSiamPredictionHead, SimSiamProjectionHead

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.optimization import Optimization
from qscore.records import StepOutput, ViewBatch


class SimSiam(SSLMethod):
    """Each view's prediction matches the other view's projection, which takes no gradient (eqs. 1-4).

    There is neither a teacher nor a negative: the stop-gradient alone keeps the representation from collapsing. A
    departure: the predictor's learning rate decays with the others, as in the paper's baseline; the authors'
    released command holds it constant (`--fix-pred-lr`), which gains 0.4 points in the paper's table 1.

    Args:
        encoder: The trained encoder.
        optimization: Optimizer and learning rate.
        projection_dim: Width of projections and predictions.
        hidden_dim: Width of the projection head's hidden layers.
        prediction_hidden_dim: Width of the predictor's bottleneck; a quarter of the projections in the paper.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        projection_dim: int = 2048,
        hidden_dim: int = 2048,
        prediction_hidden_dim: int = 512,
    ) -> None:
        super().__init__(encoder, optimization)
        self.projection_head = SimSiamProjectionHead(encoder.feature_dim, hidden_dim, projection_dim)
        self.prediction_head = SimSiamPredictionHead(projection_dim, prediction_hidden_dim, projection_dim)
        self.criterion = NegativeCosineSimilarity()

    def step(self, batch: ViewBatch) -> StepOutput:
        representations = [self.encoder(view) for view in batch.global_views]
        first, second = (self.projection_head(h) for h in representations)
        loss = self.in_full_precision(self.criterion, self.prediction_head(first), second.detach()) / 2
        loss = loss + self.in_full_precision(self.criterion, self.prediction_head(second), first.detach()) / 2
        return StepOutput(loss, torch.cat(representations), {"train/projection_std": projection_std(first)})
