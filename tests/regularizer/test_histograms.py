"""The histogram of Q reaches the loggers of both Lightning namespaces."""

from pathlib import Path
from typing import Any

import lightning.pytorch
import lightning.pytorch.loggers
import numpy as np
import pytest
import pytorch_lightning
import pytorch_lightning.loggers
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from qscore.regularizer.histograms import TAG
from tests.regularizer.strangers import regularizer, stranger, train

LIBRARIES = pytest.mark.parametrize(
    "library", [pytorch_lightning, lightning.pytorch], ids=["pytorch_lightning", "lightning"]
)


@LIBRARIES
def test_tensorboard(library: Any, tmp_path: Path) -> None:
    logger = library.loggers.TensorBoardLogger(tmp_path, name="", version="")
    callback = regularizer()
    train(library, stranger(library), tmp_path, callback, logger=logger, max_epochs=2)
    events = EventAccumulator(str(tmp_path), {"histograms": 0}).Reload()
    written = [event.histogram_value for event in events.Histograms(TAG)]
    assert [value.num for value in written] == [24, 24]
    for value, closed in zip(written, callback.histograms.closed, strict=True):
        assert list(value.bucket) == closed["counts"]
        np.testing.assert_allclose(value.bucket_limit, closed["edges"][1:])
        assert value.min == pytest.approx(closed["edges"][0])


class Run:
    """Stands in for a W&B run, and keeps what is logged."""

    step = 0

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []

    def log(self, values: dict[str, Any], **_: Any) -> None:
        self.logged.append(values)

    def define_metric(self, *_: Any, **__: Any) -> None: ...


@LIBRARIES
def test_wandb(library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    monkeypatch.setattr(library.loggers.WandbLogger, "experiment", run)

    class Derived(library.loggers.WandbLogger):  # type: ignore[misc]
        """Somebody's own, as frameworks have it."""

        def log_hyperparams(self, *_: Any, **__: Any) -> None: ...

    callback = regularizer()
    logger = Derived(save_dir=tmp_path, offline=True)
    train(library, stranger(library), tmp_path, callback, logger=logger)
    (shown,) = [values for values in run.logged if TAG in values]
    assert isinstance(shown[TAG], wandb.Histogram)
    assert shown[TAG].histogram == callback.histograms.closed[0]["counts"]
    assert shown["trainer/global_step"] == 3


def test_other_loggers_are_left_alone(tmp_path: Path) -> None:
    class WandbLogger(pytorch_lightning.loggers.CSVLogger):
        """Shares nothing but the name."""

    trainer = train(
        pytorch_lightning, stranger(pytorch_lightning), tmp_path, regularizer(), logger=WandbLogger(tmp_path)
    )
    assert "q_score/mean" in trainer.logged_metrics
