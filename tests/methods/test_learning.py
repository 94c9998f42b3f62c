"""Five epochs of each method on real digits: the loss falls and nothing collapses."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl

from qscore.data import Splits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from tests.methods.test_contract import NAMES, build
from tests.regularizer.test_callback import fit

PROJECTION_DIMS = {"byol": 32, "simsiam": 32, "dino": 64, "vicreg": 64, "barlow_twins": 64}


class _Curves(pl.Callback):
    def __init__(self) -> None:
        self.loss: list[list[float]] = []
        self.spread: list[float] = []

    def on_train_epoch_start(self, *_: object) -> None:
        self.loss.append([])

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, *_: object) -> None:
        self.loss[-1].append(float(outputs["loss"]))
        self.spread.append(float(trainer.callback_metrics["train/projection_std"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_five_epochs_lower_the_loss_without_collapse(
    name: str, digits: Splits, encoder: Encoder, tmp_path: Path
) -> None:
    train = digits.train
    assert isinstance(train, ArrayImages)
    some = train.subset(np.arange(0, 3750, 9))
    overrides = ["++method.small.optimization.warmup_epochs=1"]
    method, data = build(name, encoder, Splits(some, some, some), *overrides)
    data.num_workers = 2
    curves = _Curves()
    pl.seed_everything(0, verbose=False)
    fit(tmp_path, method, data, curves, epochs=5)
    means = [float(np.mean(epoch)) for epoch in curves.loss]
    assert all(math.isfinite(value) for epoch in curves.loss for value in epoch)
    assert means[-1] < means[0], means
    assert min(curves.spread[-13:]) > 0.1 / math.sqrt(PROJECTION_DIMS.get(name, 128))
