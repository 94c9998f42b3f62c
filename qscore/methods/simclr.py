"""A Simple Framework for Contrastive Learning of Visual Representations.

Chen, Kornblith, Norouzi, Hinton, ICML 2020, https://arxiv.org/abs/2002.05709. This is version 1: a projection
head of two layers, all features of the encoder before it. Not to be confused with SimCLR v2 (three layers,
fine-tuned from the middle of the head).
"""

import torch
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.optimization import Optimization
from qscore.records import StepOutput, ViewBatch


class SimCLR(SSLMethod):
    """Two views of an image attract each other, and repel every other view in the batch (eq. 1).

    Both views go through the encoder in one forward pass, so that BatchNorm sees the 2N views together, as in
    the authors' code (google-research/simclr, `tf2/run.py`).

    Args:
        encoder: The trained encoder.
        optimization: Optimizer and learning rate.
        projection_dim: Width of the projections.
        hidden_dim: Width of the head's hidden layer; the encoder's own by default, as in the paper.
        temperature: tau of eq. 1.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        projection_dim: int = 128,
        hidden_dim: int | None = None,
        temperature: float = 0.1,
    ) -> None:
        super().__init__(encoder, optimization)
        hidden_dim = hidden_dim or encoder.feature_dim
        self.projection_head = SimCLRProjectionHead(encoder.feature_dim, hidden_dim, projection_dim)
        self.criterion = NTXentLoss(temperature=temperature, gather_distributed=True)

    def step(self, batch: ViewBatch) -> StepOutput:
        representations = self.encoder(torch.cat(batch.global_views))
        projections = self.projection_head(representations)
        loss = self.in_full_precision(self.criterion, *projections.chunk(2))
        return StepOutput(loss, representations, {"train/projection_std": projection_std(projections)})
