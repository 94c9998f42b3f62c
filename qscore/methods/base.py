"""SSLMethod: what every self-supervised method is, and the only place where a loss is assembled."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from lightly.models.modules.memory_bank import MemoryBankModule
from lightly.utils.scheduler import cosine_schedule
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from qscore.encoders import Encoder
from qscore.methods.optimization import Optimization
from qscore.processes import mean_over_processes, means_over_processes, num_processes
from qscore.records import StepOutput, ViewBatch

LOSS = "train/loss"
MEMORY_BANKS = "memory_banks"


class SSLMethod(pl.LightningModule, ABC):
    """A self-supervised method around a trainable encoder.

    A method sets up its heads in `__init__` and returns the loss of its paper from `step`; methods with a teacher
    also move it in `after_optimizer_step`. Everything else happens here, once.

    Args:
        encoder: The network that is trained. Teachers are copies of it.
        optimization: Optimizer and learning rate.

    Attributes:
        penalties: Modules from representations to a term that `training_step` adds to the loss; empty until
            a callback fills it, and never part of a checkpoint.
    """

    def __init__(self, encoder: Encoder, optimization: Optimization) -> None:
        super().__init__()
        self.encoder = encoder
        self.optimization = optimization
        self.penalties = nn.ModuleDict()
        self._steps_seen = 0

    @abstractmethod
    def step(self, batch: ViewBatch) -> StepOutput:
        """Returns the published loss of a batch, with the representations of its global views."""

    def after_optimizer_step(self) -> None:
        """Called once after each optimizer step, however many batches were accumulated for it."""

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:
        output = self.step(batch)
        loss = output.loss
        for penalty in self.penalties.values():
            loss = loss + penalty(output.representations)
        means = means_over_processes({LOSS: loss.detach(), "train/ssl_loss": output.loss.detach(), **output.log})
        self.log_dict(means)
        return loss

    def configure_optimizers(self) -> Any:
        num_steps = int(self.trainer.estimated_stepping_batches)
        epochs = self.trainer.max_epochs or 1
        # Lightning neither scales nor clips for an optimizer that may undo the scaling of fp16 by itself.
        clips = bool(self.trainer.gradient_clip_val) and str(self.trainer.precision).endswith("-mixed")
        fused = self.device.type == "cuda" and self.trainer.precision != "16-mixed" and not clips
        return self.optimization.build(self, num_steps=num_steps, steps_per_epoch=num_steps / epochs, fused=fused)

    def in_full_precision(self, criterion: Callable[..., Tensor], *inputs: Any, **options: Any) -> Tensor:
        """Returns a loss, computed in 32 bits where autocast made its inputs in 16: too few for a mean."""
        if not torch.is_autocast_enabled(self.device.type):
            return criterion(*inputs, **options)
        with torch.autocast(self.device.type, enabled=False):
            return criterion(*(_in_single(each) for each in inputs), **options)

    def on_train_start(self) -> None:
        self._steps_seen = self.global_step

    def on_train_batch_end(self, *_: Any) -> None:
        if self.global_step > self._steps_seen:
            self._steps_seen = self.global_step
            self.after_optimizer_step()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the queues: lightly's memory banks leave themselves out of the state."""
        checkpoint[MEMORY_BANKS] = {
            name: {"bank": bank.bank, "bank_ptr": bank.bank_ptr} for name, bank in self.memory_banks()
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        for name, bank in self.memory_banks():
            bank.bank.copy_(checkpoint[MEMORY_BANKS][name]["bank"])
            bank.bank_ptr.copy_(checkpoint[MEMORY_BANKS][name]["bank_ptr"])

    def momentum(self, start: float, end: float) -> float:
        """Returns the teacher's momentum at the present step, on a half cosine over the whole run."""
        num_steps = int(self.trainer.estimated_stepping_batches)
        return float(cosine_schedule(min(self.global_step, num_steps), num_steps, start, end))

    def memory_banks(self) -> list[tuple[str, MemoryBankModule]]:
        """Returns the queues of the method, by name."""
        return [(name, module) for name, module in self.named_modules() if isinstance(module, MemoryBankModule)]


@torch.no_grad()
def projection_std(projections: Float[Tensor, "view projection"]) -> Float[Tensor, ""]:
    """Returns the mean standard deviation of L2-normalised projections over the batch of all devices.

    1 / sqrt(dim) for projections spread evenly over the sphere, 0 after a collapse (Chen and He, 2021, SimSiam,
    arXiv 2011.10566, section 4.1).
    """
    z = F.normalize(projections.float(), dim=-1)
    if num_processes() == 1:
        return z.std(0).mean()
    squares = mean_over_processes((z - mean_over_processes(z.mean(0))).square().mean(0))
    num_views = num_processes() * len(z)
    return (squares * num_views / (num_views - 1)).sqrt().mean()


def _in_single(value: Any) -> Any:
    """Returns a tensor, or the tensors of a list, in float32."""
    if isinstance(value, (list, tuple)):
        return [_in_single(part) for part in value]
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
