"""Emerging Properties in Self-Supervised Vision Transformers (DINO).

Caron et al., ICCV 2021, https://arxiv.org/abs/2104.14294. Not to be confused with DINOv2, which adds masked images.
"""

import torch
from lightly.loss import DINOLoss
from lightly.models.modules import DINOProjectionHead
from lightly.models.utils import deactivate_requires_grad
from torch import Tensor

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.momentum import follow, frozen_copy
from qscore.methods.optimization import Optimization
from qscore.records import StepOutput, ViewBatch


class DINO(SSLMethod):
    """The student's view of a small crop matches the teacher's view of a large one (algorithm 1).

    The teacher sees the global views; its outputs are centred and sharpened, and its weights follow the student's
    on a cosine. The Q-Score term sees the student's global views alone, as in SwAV.

    Args:
        encoder: The student's encoder.
        optimization: Optimizer and learning rate.
        output_dim: Number of outputs K.
        hidden_dim: Width of the head's hidden layers.
        bottleneck_dim: Width before the last layer.
        batch_norm: BatchNorm in the head; the authors use it with ResNets (`--use_bn_in_head`).
        momentum: The teacher's momentum at the start; it grows to 1.
        teacher_temperature: After its warm-up.
        warmup_teacher_temperature: Before it.
        warmup_teacher_epochs: Epochs of that warm-up.
        frozen_last_layer_epochs: Epochs in which the last layer stays as it is.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        output_dim: int = 65536,
        hidden_dim: int = 2048,
        bottleneck_dim: int = 256,
        batch_norm: bool = True,
        momentum: float = 0.996,
        teacher_temperature: float = 0.07,
        warmup_teacher_temperature: float = 0.04,
        warmup_teacher_epochs: int = 30,
        frozen_last_layer_epochs: int = 1,
    ) -> None:
        super().__init__(encoder, optimization)

        def head(freeze: int) -> DINOProjectionHead:
            return DINOProjectionHead(encoder.feature_dim, hidden_dim, bottleneck_dim, output_dim, batch_norm, freeze)

        self.projection_head = head(frozen_last_layer_epochs)
        self.teacher_encoder = frozen_copy(self.encoder)
        self.teacher_projection_head = head(-1)  # weight normalisation cannot be deep-copied
        self.teacher_projection_head.load_state_dict(self.projection_head.state_dict())
        deactivate_requires_grad(self.teacher_projection_head)
        self.criterion = DINOLoss(output_dim, warmup_teacher_temperature, teacher_temperature, warmup_teacher_epochs)
        self.momentum_start = momentum

    def step(self, batch: ViewBatch) -> StepOutput:
        representations = self.encoder(torch.cat(batch.global_views))
        student = self._per_view(self.projection_head(representations), batch)
        if batch.local_views:
            small = self.projection_head(self.encoder(torch.cat(batch.local_views)))
            student += self._per_view(small, batch)
        with torch.no_grad():
            targets = self.teacher_projection_head(self.teacher_encoder(torch.cat(batch.global_views)))
        epoch = 0 if self._trainer is None else self.current_epoch
        loss = self.in_full_precision(self.criterion, self._per_view(targets, batch), student, epoch=epoch)
        return StepOutput(loss, representations, {"train/projection_std": projection_std(torch.cat(student[:2]))})

    def on_after_backward(self) -> None:
        self.projection_head.cancel_last_layer_gradients(self.current_epoch)

    def after_optimizer_step(self) -> None:
        momentum = self.momentum(self.momentum_start, 1.0)
        follow(self.teacher_encoder, self.encoder, momentum)
        follow(self.teacher_projection_head, self.projection_head, momentum)

    @staticmethod
    def _per_view(outputs: Tensor, batch: ViewBatch) -> list[Tensor]:
        return list(torch.split(outputs, len(batch.positions)))
