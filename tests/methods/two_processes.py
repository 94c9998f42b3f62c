"""Every method under DDP with the regularizer; run by `test_two_processes.py`, and by Lightning a second time."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import nn

from qscore import QScoreRegularizer
from qscore.data import Splits
from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.methods.batch_norm import BatchNormSync, synchronized
from qscore.processes import own_rank, sum_over_processes
from tests.methods.test_contract import NAMES, build
from tests.regularizer.test_callback import fit

NUM_IMAGES, NUM_EPOCHS = 131, 2  # an odd number: the last images of an epoch are left out
PRECISION = "64-true"  # what differs then is no rounding
MODULE = "method.small.module"
OVERRIDES = {
    "swav": [f"{MODULE}.queue_size=64", f"{MODULE}.queue_start_epoch=1", f"+{MODULE}.num_frozen_epochs=0"],
    # At ten times these rates a weight or pixel that is off by 1e-7 changes the loss of one process within six steps
    # by 1e-2 (VICReg) and 1e-3 (Barlow Twins); a pixel's last bit depends on how many are made at once.
    "vicreg": ["method.small.optimization.learning_rate=0.03"],
    "barlow_twins": ["method.small.optimization.learning_rate=0.03"],
}
BY_GRADIENT = {"weight": 0.5, "weight_unit": "gradient"}
OF_THE_BATCH = {"weight": 1.0, "threshold": "batch_mean", "formula": "soft", "column_weight": 1e-3}
SHAPES = [(8, 5), (8, 4, 3, 2)]
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, BY_GRADIENT) for name in NAMES},
    **{f"{name}, batch_mean": (name, OF_THE_BATCH) for name in ("simclr", "byol")},
}


class Watch(pl.Callback):
    """Notes the loss and what else is logged of every step, and which images it was of."""

    def __init__(self) -> None:
        self.logged: list[dict[str, float]] = []
        self.positions: list[torch.Tensor] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *_: object) -> None:
        self.logged.append({name: float(value) for name, value in trainer.callback_metrics.items()})
        self.positions.append(batch.positions)


def train(folder: Path, kind: str, **options: Any) -> dict[str, Any]:
    """Trains one method, and returns all that it is made of afterwards."""
    name, settings = KINDS[kind]
    pl.seed_everything(1, verbose=False)
    digits = embedded_digits().train
    assert isinstance(digits, ArrayImages)
    few = digits.subset(np.arange(0, 3750, 28)[:NUM_IMAGES])
    encoder = Encoder(architecture="resnet10", stem="cifar", width=0.0625)
    method, data = build(name, encoder, Splits(few, few, few), *OVERRIDES.get(name, []))
    callback, watch = QScoreRegularizer(epsilon=1.0, **settings), Watch()
    fit(folder, method, data, callback, watch, epochs=NUM_EPOCHS, precision=PRECISION, **options)
    banks = [(n, bank) for n, bank in method.memory_banks() if bank.size[0]]
    return {
        "logged": watch.logged,
        "positions": watch.positions,
        "state": method.state_dict(),
        "banks": {f"{n}.{part}": getattr(bank, part) for n, bank in banks for part in ("bank", "bank_ptr")},
        "norms": callback.weighing.norms,
        "weight": callback.weighing.weight,
        "histograms": callback.histograms.closed,
        "layers": sorted({type(module).__name__ for module in method.modules()}),
    }


def shares(rank: int) -> slice:
    """The rows of the batch that a process gets: not as many each."""
    return slice(0, 3) if rank == 0 else slice(3, None)


def norm_and_input(shape: tuple[int, ...]) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A layer that has seen something, a batch, and what is to be done with its output."""
    generator = torch.Generator().manual_seed(len(shape))
    values, wanted = (3 + 2 * torch.randn(shape, generator=generator).double() for _ in range(2))
    norm = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(shape[1], momentum=None if len(shape) == 2 else 0.1)
    return norm.double(), values, wanted


def normalise(norm: nn.Module, values: torch.Tensor, wanted: torch.Tensor) -> dict[str, torch.Tensor]:
    """Two steps in training and one in evaluation: outputs, gradients, statistics."""
    values = values.clone().requires_grad_()
    outputs = [norm(values) for _ in range(2)]
    sum((output * wanted).square().sum() for output in outputs).backward()
    parameters = {f"gradient.{name}": parameter.grad for name, parameter in norm.named_parameters()}
    found = {"output": outputs[0].detach(), "gradient": values.grad, **parameters, **dict(norm.named_buffers())}
    return {**found, "evaluated": norm.eval()(values).detach()}


def normalise_share(shape: tuple[int, ...], rank: int) -> dict[str, torch.Tensor]:
    """The same on a share of the batch, with the gradients of the parameters summed as DDP does."""
    norm, values, wanted = norm_and_input(shape)
    found = normalise(synchronized(norm), values[shares(rank)], wanted[shares(rank)])
    return {n: sum_over_processes(v) if n.startswith("gradient.") else v for n, v in found.items()}


def main(folder: Path) -> None:
    """Each process leaves what it has."""
    found = {kind: train(folder, kind, strategy="ddp", devices=2, plugins=[BatchNormSync()]) for kind in KINDS}
    rank = own_rank()
    found["batch_norm"] = {shape: normalise_share(shape, rank) for shape in SHAPES}
    torch.save(found, folder / f"{rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
