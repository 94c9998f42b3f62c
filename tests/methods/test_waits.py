"""A step must not ask the device for a number: the host would wait for it, and a GPU then for the host."""

import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import CSVLogger

from qscore import QScoreRegularizer
from qscore.application.progress import ProgressBar
from qscore.data import Splits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from tests.methods.test_contract import NAMES, build

ASKING = ("item", "tolist", "numpy", "cpu", "nonzero", "__int__", "__float__", "__bool__", "__index__")
FIRST, LAST = 4, 12  # the first steps find out what the weight means
QUEUES = {"moco": 1, "swav": 2}  # lightly's queues ask for their position


class Count(pl.Callback):
    """Notes who asks, between two steps."""

    def __init__(self) -> None:
        self.is_on, self.asked = False, Counter[str]()

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self.is_on = FIRST <= trainer.global_step < LAST - 1  # after the last one the epoch ends, and is summed up

    def note(self, what: str) -> None:
        if self.is_on:
            frame = next(f for f in reversed(traceback.extract_stack()) if __file__ not in f.filename)
            self.asked[f"{what} in {Path(frame.filename).name}:{frame.lineno}"] += 1


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    counter = Count()
    for name in ASKING:
        method = getattr(torch.Tensor, name)

        def asking(tensor: Any, *arguments: Any, _method: Any = method, _name: str = name, **options: Any) -> Any:
            counter.note(_name)
            return _method(tensor, *arguments, **options)

        monkeypatch.setattr(torch.Tensor, name, asking)
    make = torch.tensor

    def making(*arguments: Any, **options: Any) -> torch.Tensor:
        if options.get("device") is not None:
            counter.note("torch.tensor(device=)")
        return make(*arguments, **options)

    monkeypatch.setattr(torch, "tensor", making)
    yield counter
    counter.is_on = False


@pytest.mark.parametrize("name", NAMES)
def test_no_step_waits_for_the_device(name: str, tmp_path: Path, count: Count) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32 * LAST, 28, 28, 3), dtype=np.uint8)
    source = ArrayImages(pixels, None, (), tuple(map(str, range(len(pixels)))))
    method, data = build(name, Encoder("resnet10", stem="cifar", width=0.0625), Splits(source, source, source))
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=CSVLogger(tmp_path),
        log_every_n_steps=100,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=[count, QScoreRegularizer(epsilon=1.0), ProgressBar(100)],
        default_root_dir=tmp_path,
    )
    trainer.fit(method, datamodule=data)
    assert trainer.global_step == LAST
    assert sum(count.asked.values()) <= QUEUES.get(name, 0) * (LAST - 1 - FIRST), count.asked
