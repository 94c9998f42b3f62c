"""New heads learn first, so that their first gradients do not disturb a trained encoder."""

from typing import Any

import pytorch_lightning as pl
from torch.nn.modules.batchnorm import _BatchNorm


class HeadWarmup(pl.Callback):
    """Holds the encoder of an `SSLMethod` still, weights and BatchNorm statistics, for the first optimizer steps.

    Gradients are dropped after the backward pass; switching `requires_grad` off instead would break DDP's buckets.

    Args:
        num_steps: Optimizer steps, counted from the start of the run.
    """

    def __init__(self, num_steps: int) -> None:
        self.num_steps = num_steps
        self._momenta: dict[_BatchNorm, float | None] = {}

    def on_train_batch_start(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        if trainer.global_step >= self.num_steps:
            self._release()
        elif not self._momenta:
            norms = [module for module in pl_module.encoder.modules() if isinstance(module, _BatchNorm)]
            self._momenta = {norm: norm.momentum for norm in norms}
            for norm in norms:
                norm.momentum = 0.0

    def on_after_backward(self, trainer: Any, pl_module: Any) -> None:
        if trainer.global_step < self.num_steps:
            for parameter in pl_module.encoder.parameters():
                parameter.grad = None

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        self._release()

    def _release(self) -> None:
        for norm, momentum in self._momenta.items():
            norm.momentum = momentum
        self._momenta.clear()
