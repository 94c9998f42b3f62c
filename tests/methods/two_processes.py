"""Every method under DDP with the regularizer; run by `test_two_processes.py`, and by Lightning a second time."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from qscore import QScoreRegularizer
from qscore.data import Splits
from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.methods.batch_norm import BatchNormSync
from tests.methods.test_contract import NAMES, build
from tests.regularizer.test_callback import fit

NUM_IMAGES, NUM_EPOCHS = 131, 2  # an odd number: the last images of an epoch are left out
PRECISION = "64-true"  # what differs then is no rounding
MODULE = "method.small.module"
OVERRIDES = {"swav": [f"{MODULE}.queue_size=64", f"{MODULE}.queue_start_epoch=1", f"+{MODULE}.num_frozen_epochs=0"]}
BY_GRADIENT = {"weight": 0.5, "weight_unit": "gradient"}
OF_THE_BATCH = {"weight": 1.0, "threshold": "batch_mean", "formula": "centered", "column_weight": 1e-3}
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
    trainer = fit(folder, method, data, callback, watch, epochs=NUM_EPOCHS, precision=PRECISION, **options)
    return {
        "rank": trainer.global_rank,
        "logged": watch.logged,
        "positions": watch.positions,
        "state": method.state_dict(),
        "banks": {
            f"{n}.{part}": getattr(bank, part) for n, bank in method.memory_banks() for part in ("bank", "bank_ptr")
        },
        "norms": callback.weighing.norms,
        "weight": callback.weighing.weight,
        "histograms": callback.histograms.closed,
        "layers": sorted({type(module).__name__ for module in method.modules()}),
    }


def main(folder: Path) -> None:
    """Each process leaves what it has."""
    found = {kind: train(folder, kind, strategy="ddp", devices=2, plugins=[BatchNormSync()]) for kind in KINDS}
    torch.save(found, folder / f"{next(iter(found.values()))['rank']}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
