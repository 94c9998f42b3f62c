"""Optimizer and learning rate of a method, as its paper states them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lightly.models.utils import get_weight_decay_parameters
from lightly.utils.scheduler import CosineWarmupScheduler
from torch import nn
from torch.optim import Optimizer

REFERENCE_BATCH_SIZE = 256


@dataclass(frozen=True)
class Optimization:
    """Linear warm-up, then a cosine, for a learning rate that grows with the global batch.

    Attributes:
        optimizer: Called with parameter groups and `lr`.
        learning_rate: Peak learning rate for a global batch of 256 (linear scaling, Goyal et al., 2017,
            arXiv 1706.02677).
        batch_size: Images a step over all devices.
        warmup_epochs: Epochs of linear warm-up.
        warmup_start_learning_rate: Where the warm-up begins, for a global batch of 256.
        final_learning_rate: Learning rate at the last step, for a global batch of 256.
        decay_norms_and_biases: Whether weight decay falls on biases and normalisation layers too. Where it does
            not, LARS does not adapt their rates either (SimCLR, BYOL).
    """

    optimizer: Callable[..., Optimizer]
    learning_rate: float
    batch_size: int = REFERENCE_BATCH_SIZE
    warmup_epochs: float = 0.0
    warmup_start_learning_rate: float = 0.0
    final_learning_rate: float = 0.0
    decay_norms_and_biases: bool = True

    def build(
        self, module: nn.Module, *, num_steps: int, steps_per_epoch: float, fused: bool = False
    ) -> dict[str, Any]:
        """Returns what Lightning's `configure_optimizers` asks for, over the trainable parameters of a module.

        Args:
            module: Its trainable parameters are optimized.
            num_steps: Of the whole training.
            steps_per_epoch: Of an epoch.
            fused: Ask the optimizer for its fused form, if it has one.
        """
        both = self.decay_norms_and_biases
        decayed, free = get_weight_decay_parameters([module], decay_norm=both, decay_bias=both)
        groups: list[dict[str, Any]] = [{"params": [p for p in decayed if p.requires_grad]}]
        if rest := [p for p in free if p.requires_grad]:
            groups.append({"params": rest, "weight_decay": 0.0})
        learning_rate = self.learning_rate * self.batch_size / REFERENCE_BATCH_SIZE
        has_fused_form = "fused" in inspect.signature(self.optimizer).parameters
        optimizer = self.optimizer(groups, lr=learning_rate, **({"fused": True} if fused and has_fused_form else {}))
        scheduler = CosineWarmupScheduler(
            optimizer,
            warmup_epochs=min(round(self.warmup_epochs * steps_per_epoch), num_steps // 2),
            max_epochs=num_steps,
            warmup_start_value=self.warmup_start_learning_rate / self.learning_rate,
            end_value=self.final_learning_rate / self.learning_rate,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
