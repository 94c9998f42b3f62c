"""Unsupervised Learning of Visual Features by Contrasting Cluster Assignments (SwAV).

Caron et al., NeurIPS 2020, https://arxiv.org/abs/2006.09882.
"""

import torch
from lightly.loss import SwaVLoss
from lightly.models.modules import SwaVProjectionHead, SwaVPrototypes
from lightly.models.modules.memory_bank import MemoryBankModule
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from qscore.encoders import Encoder
from qscore.methods.base import SSLMethod, projection_std
from qscore.methods.optimization import Optimization
from qscore.processes import num_processes, own_rank
from qscore.records import NUM_GLOBAL_VIEWS, StepOutput, ViewBatch


class SwAV(SSLMethod):
    """Each view predicts the cluster assignment of the other views of its image (eqs. 1-3).

    Assignments of the global views come from Sinkhorn-Knopp over the batch and, from `queue_start_epoch` on, a
    queue of earlier projections. Prototypes are normalised before every step. They stay as they are for the
    first epoch of a run, of fine-tuning too. The Q-Score term sees the global views alone: features of small
    crops follow another distribution than the plain images that D is mined from.

    Args:
        encoder: The trained encoder.
        optimization: Optimizer and learning rate.
        projection_dim: Width of the projections.
        hidden_dim: Width of the head's hidden layer.
        num_prototypes: Number of clusters K.
        num_frozen_epochs: Epochs of a run before prototypes move; one in the authors' code.
        temperature: tau of eq. 2.
        sinkhorn_epsilon: Smoothness of the assignment, eq. 3.
        sinkhorn_iterations: Rounds of Sinkhorn-Knopp.
        queue_size: Projections kept for each global view; 0 for none.
        queue_start_epoch: First epoch in which the queue is used.
    """

    def __init__(
        self,
        encoder: Encoder,
        optimization: Optimization,
        *,
        projection_dim: int = 128,
        hidden_dim: int = 2048,
        num_prototypes: int = 3000,
        num_frozen_epochs: int = 1,
        temperature: float = 0.1,
        sinkhorn_epsilon: float = 0.05,
        sinkhorn_iterations: int = 3,
        queue_size: int = 0,
        queue_start_epoch: int = 15,
    ) -> None:
        super().__init__(encoder, optimization)
        self.projection_head = SwaVProjectionHead(encoder.feature_dim, hidden_dim, projection_dim)
        self.prototypes = SwaVPrototypes(projection_dim, num_prototypes)
        _without_bias(self.prototypes)
        self.queues = nn.ModuleList(
            MemoryBankModule((queue_size, projection_dim), gather_distributed=True, feature_dim_first=False)
            for _ in range(NUM_GLOBAL_VIEWS if queue_size else 0)
        )
        self.criterion = SwaVLoss(temperature, sinkhorn_iterations, sinkhorn_epsilon, sinkhorn_gather_distributed=True)
        self.num_frozen_epochs, self.queue_start_epoch = num_frozen_epochs, queue_start_epoch

    def step(self, batch: ViewBatch) -> StepOutput:
        self.prototypes.normalize()
        representations = self.encoder(torch.cat(batch.global_views))
        large = self._projections(representations)
        small = self._projections(self.encoder(torch.cat(batch.local_views))) if batch.local_views else None
        num_images = len(batch.positions)
        loss = self.in_full_precision(
            self.criterion,
            list(torch.split(self.prototypes(large), num_images)),
            [] if small is None else list(torch.split(self.prototypes(small), num_images)),
            self._queue_scores(torch.split(large.detach(), num_images)),
        ).squeeze()
        return StepOutput(loss, representations, {"train/projection_std": projection_std(large)})

    def on_after_backward(self) -> None:
        """Frozen prototypes get no gradient; switching `requires_grad` instead would break DDP's buckets."""
        if self.current_epoch < self.num_frozen_epochs:
            for parameter in self.prototypes.parameters():
                parameter.grad = None

    def _projections(self, representations: Tensor) -> Tensor:
        return F.normalize(self.projection_head(representations), dim=-1)

    @torch.no_grad()
    def _queue_scores(self, projections: tuple[Tensor, ...]) -> list[Tensor] | None:
        queued = [queue(z, update=True)[1] for queue, z in zip(self.queues, projections, strict=False)]
        if not queued or self._trainer is None or self.current_epoch < self.queue_start_epoch:
            return None
        # Every device holds the whole queue and takes its share of it to the assignment over all devices.
        return [self.prototypes(z[own_rank() :: num_processes()]) for z in queued]


def _without_bias(prototypes: SwaVPrototypes) -> None:
    """The paper's prototypes are directions; lightly's layers have a bias, here held at zero."""
    for head in prototypes.heads:
        nn.init.zeros_(head.bias)
        head.bias.requires_grad_(False)
