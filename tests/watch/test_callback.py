"""The watch on real training: silent on healthy runs, clear on provoked collapses, and never in the way."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from qscore import CollapseWatch, QScoreRegularizer
from qscore.data import ImageDataModule, Splits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.errors import UserError
from tests.methods.test_contract import build
from tests.regularizer.strangers import stranger, train
from tests.regularizer.test_callback import MakeEncoder, fit, simclr
from tests.watch.provoked import Dead, faster, without_stop_gradient, without_variance

WARM = "++method.small.optimization.warmup_epochs=1"


@pytest.fixture
def images(digits: Splits) -> Splits:
    """320 digits: ten steps an epoch."""
    train = digits.train
    assert isinstance(train, ArrayImages)
    some = train.subset(np.arange(0, 3750, 11)[:320])
    return Splits(some, some, some)


def watched(
    home: Path, method: Any, data: Any, *callbacks: pl.Callback, caplog: Any, epochs: int = 4, **options: Any
) -> tuple[CollapseWatch, list[str]]:
    """Trains under a watch; returns it and what it warned of."""
    watch = CollapseWatch()
    pl.seed_everything(0, verbose=False)
    with caplog.at_level(logging.WARNING, logger="qscore.watch"):
        fit(home, method, data, watch, *callbacks, epochs=epochs, **options)
    return watch, [record.getMessage() for record in caplog.records if record.name.startswith("qscore.watch")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["barlow_twins", "byol", "dino", "moco", "simclr", "simsiam", "swav", "vicreg"])
def test_nothing_is_said_of_a_healthy_run(
    name: str, images: Splits, encoder: Encoder, tmp_path: Path, caplog: Any
) -> None:
    method, data = build(name, encoder, images, WARM)
    watch, said = watched(tmp_path, method, data, QScoreRegularizer(weight=0), caplog=caplog)
    assert (watch.noticed, said) == ([], [])
    assert watch.signals is not None
    assert not (tmp_path / "noticed.json").exists()


@pytest.mark.parametrize(
    ("name", "break_it", "cause"),
    [
        ("byol", without_stop_gradient, "(1) the predictor, the stop-gradient or the teacher"),
        ("vicreg", without_variance, "(1) the variance term's weight is too low"),
    ],
)
def test_a_collapse_is_said_once_with_the_part_that_prevents_it(
    name: str, break_it: Any, cause: str, images: Splits, encoder: Encoder, tmp_path: Path, caplog: Any
) -> None:
    method, data = build(name, encoder, images, WARM)
    break_it(method)
    watch, (said,) = watched(tmp_path, method, data, caplog=caplog, epochs=8)
    (notice,) = watch.noticed
    assert notice["kind"] == "collapse"
    assert said.startswith(f"Step {notice['step']}: the encoder is collapsing")
    assert cause in said
    assert json.loads((tmp_path / "noticed.json").read_text()) == watch.noticed


def test_a_huge_lambda_is_the_first_cause(images: Splits, encoder: Encoder, tmp_path: Path, caplog: Any) -> None:
    method, data = build("simclr", encoder, images, WARM)
    watch, said = watched(tmp_path, method, data, QScoreRegularizer(weight=1e6, epsilon=3.5), caplog=caplog)
    assert watch.noticed
    assert all("likeliest first: (1) lambda (1e+06) is too large: its term was" in message for message in said)


def test_an_epsilon_that_empties_the_sets_is_named(
    images: Splits, encoder: Encoder, tmp_path: Path, caplog: Any
) -> None:
    method, data = build("simclr", encoder, images, WARM)
    regularizer = QScoreRegularizer(epsilon=10, threshold=0.5)
    watch, said = watched(tmp_path, method, data, regularizer, caplog=caplog, epochs=1)
    assert [notice["kind"] for notice in watch.noticed] == ["empty_sets"]
    assert "epsilon (10) is too large for these features" in watch.noticed[0]["message"]
    assert said == []  # the mining pass has said it, with an epsilon to take


def test_dead_features_are_counted(images: Splits, encoder: Encoder, tmp_path: Path, caplog: Any) -> None:
    encoder.network = Dead(encoder.network, 0.75)
    method, data = build("simclr", encoder, images, WARM)
    watch, (said,) = watched(tmp_path, method, data, caplog=caplog, epochs=2)
    assert (watch.noticed[0]["kind"], watch.noticed[0]["value"]) == ("dead_features", 0.75)
    assert "75% of the features had one value" in said


def test_a_learning_rate_times_1000_is_noticed(images: Splits, encoder: Encoder, tmp_path: Path, caplog: Any) -> None:
    method, data = build("vicreg", encoder, images, WARM)
    faster(method, 1000)
    try:
        watched(tmp_path, method, data, caplog=caplog)
    except UserError as error:
        assert "is not finite" in str(error)  # noqa: PT017 - it may also only collapse
    noticed = json.loads((tmp_path / "noticed.json").read_text())
    assert "the learning rate" in noticed[0]["message"]


class Poison(pl.Callback):
    """Makes the loss of a step not finite, or a weight after it."""

    def __init__(self, step: int, *, weight: bool = False) -> None:
        self.step, self.weight = step, weight

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, *_: Any) -> None:
        if not self.weight and trainer.global_step == self.step - 1:
            batch.global_views[0].fill_(float("nan"))

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any) -> None:
        if self.weight and trainer.global_step == self.step:
            pl_module.projection_head.layers[0].weight.data[0] = float("inf")


@pytest.mark.parametrize(("weight", "step", "named"), [(False, 6, "the loss"), (True, 8, "projection_head")])
def test_what_is_not_finite_ends_the_run_and_the_last_finite_state_is_kept(
    weight: bool, step: int, named: str, make_encoder: MakeEncoder, data: ImageDataModule, tmp_path: Path, caplog: Any
) -> None:
    keeper = ModelCheckpoint(tmp_path / "kept", "last", enable_version_counter=False)
    with pytest.raises(UserError, match=f"^Step {step}: {named}.* is not finite") as caught:
        watched(tmp_path, simclr(make_encoder()), data, Poison(step, weight=weight), keeper, caplog=caplog)
    last = tmp_path / "kept" / "last.ckpt"
    assert str(last) in str(caught.value)
    kept = torch.load(last, weights_only=False)
    assert kept["global_step"] == 4
    assert all(value.isfinite().all() for value in kept["state_dict"].values())
    (notice,) = json.loads((tmp_path / "noticed.json").read_text())
    assert (notice["kind"], notice["step"], notice["value"]) == ("not_finite", step, None)


def test_a_watched_run_ends_with_the_same_bits(
    make_encoder: MakeEncoder, data: ImageDataModule, tmp_path: Path
) -> None:
    states = []
    for callbacks in ([], [CollapseWatch()]):
        pl.seed_everything(3, verbose=False)
        method = simclr(make_encoder())
        fit(tmp_path, method, data, *callbacks, epochs=2)
        assert not method.encoder._forward_hooks
        states.append((method.state_dict(), torch.rand(3)))
    (plain, after), (under_watch, after_watch) = states
    assert plain.keys() == under_watch.keys()
    assert all(value.equal(under_watch[name]) for name, value in plain.items())
    assert after.equal(after_watch)


def test_a_module_of_others_is_watched_too(tmp_path: Path, caplog: Any) -> None:
    module = stranger(pl)
    watch = CollapseWatch(encoder="backbone")
    with torch.no_grad():
        for parameter in module.backbone.parameters():
            parameter.zero_()
    with caplog.at_level(logging.WARNING, logger="qscore.watch"):
        train(pl, module, tmp_path, watch, max_epochs=3)
    assert "collapse" in [notice["kind"] for notice in watch.noticed]
    assert "does not work" in caplog.text
