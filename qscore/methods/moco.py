"""Improved Baselines with Momentum Contrastive Learning (MoCo v2).

Chen, Fan, Girshick, He, 2020, https://arxiv.org/abs/2003.04297; the mechanism is MoCo v1's (He et al., CVPR 2020,
https://arxiv.org/abs/1911.05722). Not to be confused with MoCo v3, which has no queue.
"""

from collections.abc import Iterator
from typing import Any

import torch
from lightly.loss import NTXentLoss
from lightly.models.modules import MoCoProjectionHead
from lightly.models.utils import batch_shuffle, batch_unshuffle
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader

from qscore.data.views import EpochSampler
from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.momentum import follow, frozen_copy
from qscore.methods.optimization import Optimization
from qscore.records import StepOutput, ViewBatch


class MoCo(SSLMethod):
    """A query is to find the key of its own image among the keys of a queue (algorithm 1 of MoCo v1).

    The loss is asymmetric: one view is the query and only it has a gradient, so the representations of a step
    are those of N views, not 2N. Keys are computed in shuffled order, which over several devices keeps
    BatchNorm from telling which key belongs to which query.

    A departure: before its first step a new run fills the queue with keys of training images. The authors' code
    (facebookresearch/moco at 132aea9, `moco/builder.py`) starts from random vectors, against which the task is
    trivial: the loss begins near 0 and rises until real keys have replaced them.

    Args:
        encoder: The query encoder.
        optimization: Optimizer and learning rate.
        projection_dim: Width of the projections.
        hidden_dim: Width of the head's hidden layer; the encoder's own by default, as in the authors' code.
        temperature: tau of eq. 1.
        queue_size: Number of keys kept.
        momentum: Of the key encoder, constant.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        projection_dim: int = 128,
        hidden_dim: int | None = None,
        temperature: float = 0.2,
        queue_size: int = 65536,
        momentum: float = 0.999,
    ) -> None:
        super().__init__(encoder, optimization)
        hidden_dim = hidden_dim or encoder.feature_dim
        self.projection_head = MoCoProjectionHead(encoder.feature_dim, hidden_dim, projection_dim)
        self.key_encoder = frozen_copy(self.encoder)
        self.key_projection_head = frozen_copy(self.projection_head)
        self.criterion = NTXentLoss(temperature, memory_bank_size=(queue_size, projection_dim), gather_distributed=True)
        self.key_momentum = momentum
        self.queue_size = queue_size
        self.queue_is_filled: Tensor
        self.register_buffer("queue_is_filled", torch.tensor(False))

    def step(self, batch: ViewBatch) -> StepOutput:
        query_view, key_view = batch.global_views
        representations = self.encoder(query_view)
        queries = self.projection_head(representations)
        loss = self.in_full_precision(self.criterion, queries, self._keys(key_view))
        return StepOutput(loss, representations, {"train/projection_std": projection_std(queries)})

    def after_optimizer_step(self) -> None:
        follow(self.key_encoder, self.encoder, self.key_momentum)
        follow(self.key_projection_head, self.projection_head, self.key_momentum)

    def on_train_start(self) -> None:
        super().on_train_start()
        if not self.queue_is_filled:
            self._fill_queue()

    @torch.no_grad()
    def _fill_queue(self) -> None:
        """Keys of views that no training epoch will make; BatchNorm's running statistics are left as they are."""
        statistics = {name: buffer.clone() for name, buffer in self.key_encoder.named_buffers()}
        missing = self.queue_size
        for batch in self._views_before_training():
            keys = F.normalize(self._keys(batch.global_views[1]), dim=-1)
            self.criterion.memory_bank(keys, update=True)
            missing -= len(keys) * self.trainer.world_size
            if missing <= 0:
                break
        for name, buffer in self.key_encoder.named_buffers():
            buffer.copy_(statistics[name])
        self.queue_is_filled.fill_(True)

    def _views_before_training(self) -> Iterator[ViewBatch]:
        """Views from a loader of their own: iterating the trainer's would take steps away from its first epoch."""
        trained_on: Any = self.trainer.train_dataloader
        hooks: Any = getattr(self.trainer, "datamodule", None) or self
        num_images, epoch = len(trained_on.dataset), self.trainer.max_epochs or 0
        world_size, rank = self.trainer.world_size, self.trainer.global_rank
        while True:
            sampler = EpochSampler(num_images, seed=0, epoch=epoch, num_replicas=world_size, rank=rank)
            for batch in DataLoader(
                trained_on.dataset,
                batch_size=trained_on.batch_size,
                sampler=sampler,
                num_workers=trained_on.num_workers,
                drop_last=True,
                collate_fn=trained_on.collate_fn,
                generator=torch.Generator().manual_seed(0),
            ):
                yield hooks.on_after_batch_transfer(hooks.transfer_batch_to_device(batch, self.device, 0), 0)
            epoch += 1

    @torch.no_grad()
    def _keys(self, views: Tensor) -> Tensor:
        distributed = self._trainer is not None and self.trainer.world_size > 1
        shuffled, order = batch_shuffle(views, distributed=distributed)
        keys = self.key_projection_head(self.key_encoder(shuffled))
        ordered: Tensor = batch_unshuffle(keys, order, distributed=distributed)
        return ordered
