"""How a network is run, and how fast: number format, memory layout, compilation, images a second."""

import time
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, open_dict

from qscore.application.build import inference_device
from qscore.encoders import Encoder
from qscore.methods import SSLMethod
from qscore.score.extract import number_format

AUTO = "auto"


def settle_precision(cfg: DictConfig) -> None:
    """Writes what `precision=auto` means on this machine into the configuration, before the run keeps it.

    bf16-mixed on a GPU or a processor with units for bf16, where it was measured to take half to a third of the time
    (docs/performance.md); 32-true elsewhere, since a processor without them converts back and forth.
    """
    if cfg.precision == AUTO:
        with open_dict(cfg):
            cfg.precision = "bf16-mixed" if has_bf16_units(inference_device(cfg)) else "32-true"


def has_bf16_units(device: torch.device) -> bool:
    """Returns whether a device multiplies bf16 matrices in hardware."""
    if device.type == "cuda":
        return number_format(device) == "bfloat16"
    asked = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(ask() for ask in asked if ask)


def prepare_networks(cfg: DictConfig, method: SSLMethod) -> None:
    """Lays convolutions out channels last, and compiles the encoder and its teacher, if the configuration says so.

    Compiled in place: names, checkpoints and hooks stay what they are. Heads and losses are left alone: they are small,
    and some of them change from step to step.
    """
    if cfg.get("channels_last", False):  # runs from before there was one have no such entry
        method.to(memory_format=torch.channels_last)
    if compiler := cfg.get("compile", False):
        for encoder in method.modules():
            if isinstance(encoder, Encoder):  # its network alone: hooks on the encoder stay outside of the graph
                encoder.network.compile(backend="inductor" if compiler is True else compiler)


class Throughput(pl.Callback):
    """Measures the images that a training takes in a second, over whole epochs, without what comes between them.

    The device is waited for at both ends of an epoch only. The first epoch, in which loaders start and kernels are
    chosen, counts when there is no other.

    Args:
        batch_size: Images a step, over all devices.
    """

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self._rates: list[float] = []
        self._started = 0.0

    @property
    def images_per_second(self) -> float | None:
        """The median over the epochs; None where no epoch was trained."""
        return median(self._rates[1:] or self._rates) if self._rates else None

    @property
    def peak_memory_gb(self) -> float | None:
        """The most that tensors took on this GPU, in 10^9 bytes; None on a CPU."""
        return torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else None

    def on_train_epoch_start(self, *_: Any) -> None:
        self._started = _time_when_done()

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        num_images = self.batch_size * int(trainer.num_training_batches)
        self._rates.append(num_images / (_time_when_done() - self._started))


def _time_when_done() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
