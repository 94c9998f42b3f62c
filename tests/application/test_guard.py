"""The guard on real training: trips on a destroyed encoder, stays silent on a healthy one, changes no bit."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger

from qscore import load_encoder
from qscore.application.guard import WarmStartGuard
from qscore.data import ImageDataModule, Splits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation.warm_start import KNN, RANK_ME, Measurement
from qscore.methods import Optimization
from tests.application.conftest import tiny
from tests.regularizer.test_callback import fit, simclr

MakeEncoder = Callable[..., Encoder]
Command = Callable[..., tuple[int, str]]


class Destroy(pl.Callback):
    """Overwrites the weights of the last convolutions after the first step of an epoch, as a bad step would."""

    def __init__(self, epoch: int, value: float = 0.0) -> None:
        self.epoch, self.value = epoch, value

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any) -> None:
        if trainer.current_epoch >= self.epoch:
            for parameter in pl_module.encoder.network.layer4.parameters():
                parameter.data.fill_(self.value)


def _plain_sgd(groups: Any, lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=lr)


def guard_file(home: Path) -> dict[str, Any]:
    return json.loads((home / "guard.json").read_text())  # type: ignore[no-any-return]


def started(make_encoder: MakeEncoder) -> Any:
    pl.seed_everything(3, verbose=False)
    return simclr(make_encoder())


def test_a_guarded_run_ends_with_the_same_bits(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule
) -> None:
    plain, guarded = started(make_encoder), started(make_encoder)
    pl.seed_everything(3, verbose=False)
    fit(tmp_path, plain, data, epochs=2)
    after = torch.rand(3)
    pl.seed_everything(3, verbose=False)
    fit(tmp_path, guarded, data, WarmStartGuard(num_images=100), epochs=2)
    assert torch.equal(torch.rand(3), after)
    assert guarded.encoder.training
    for name, value in plain.state_dict().items():
        assert torch.equal(value, guarded.state_dict()[name]), name


def test_a_destroyed_encoder_is_reported_once_and_the_state_before_the_first_step_is_kept(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule, caplog: pytest.LogCaptureFixture
) -> None:
    method = started(make_encoder)
    before = method.encoder.fingerprint()
    guard = WarmStartGuard()
    with caplog.at_level(logging.WARNING):
        fit(tmp_path, method, data, guard, Destroy(epoch=0), epochs=3)
    (alarm,) = [record.getMessage() for record in caplog.records if "Fine-tuning harms" in record.getMessage()]
    start = guard.curve[0]
    assert f"after epoch 1, knn_top1 is {guard.curve[1].knn_top1:.4g} instead of {start.knn_top1:.4g}" in alarm
    assert "Lower the learning rate or lambda" in alarm
    assert str(tmp_path / "best" / "encoder.safetensors") in alarm
    found = guard_file(tmp_path)
    assert found["broken"] == {"knn_top1": 1, "rank_me": 1, "feature_std": 1}
    assert found["best"] == {"epoch": 0, "encoder": "best/encoder.safetensors", "ranked_by": KNN}
    assert [entry["epoch"] for entry in found["curve"]] == [0, 1, 2, 3]
    assert [entry["step"] for entry in found["curve"]] == [0, 4, 8, 12]
    assert load_encoder(tmp_path / found["best"]["encoder"]).fingerprint() == before
    facts = json.loads((tmp_path / "best" / "encoder.json").read_text())
    assert (facts["epoch"], facts["knn_top1"], facts["rank_me"]) == (0, start.knn_top1, start.rank_me)


def test_a_huge_learning_rate_trips_the_guard(tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule) -> None:
    method = started(make_encoder)
    method.optimization = Optimization(_plain_sgd, learning_rate=1e6)
    fit(tmp_path, method, data, WarmStartGuard(), epochs=2)
    found = guard_file(tmp_path)
    assert found["best"]["epoch"] == 0
    assert found["broken"]


def test_a_healthy_run_is_not_reported_and_its_best_state_is_a_later_one(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule, caplog: pytest.LogCaptureFixture
) -> None:
    method, guard = started(make_encoder), WarmStartGuard()
    method.optimization = Optimization(_plain_sgd, learning_rate=1e-2)
    with caplog.at_level(logging.WARNING):
        fit(tmp_path, method, data, guard, epochs=2)
    found = guard_file(tmp_path)
    assert "Fine-tuning harms" not in caplog.text
    assert (found["broken"], found["stopped_after"]) == ({}, None)
    highest = max(found["curve"], key=lambda entry: entry["knn_top1"])
    assert found["best"]["epoch"] == highest["epoch"]
    if highest["epoch"] == 2:
        assert load_encoder(tmp_path / "best").fingerprint() == method.encoder.fingerprint()


def test_stopping_ends_the_training_after_the_epoch(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule, caplog: pytest.LogCaptureFixture
) -> None:
    guard = WarmStartGuard(on_fall="stop")
    with caplog.at_level(logging.WARNING):
        trainer = fit(tmp_path, started(make_encoder), data, guard, Destroy(epoch=1), epochs=5)
    assert trainer.current_epoch == 2
    assert guard_file(tmp_path)["stopped_after"] == 2
    assert len(guard_file(tmp_path)["curve"]) == 3
    assert "ends the training" in caplog.text


def test_a_run_killed_after_it_was_stopped_is_not_trained_on(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule
) -> None:
    keeper = ModelCheckpoint(tmp_path / "kept", "last")
    fit(tmp_path, started(make_encoder), data, WarmStartGuard(on_fall="stop"), Destroy(1), keeper, epochs=5)
    (tmp_path / "guard.json").unlink()
    resumed = WarmStartGuard(on_fall="stop")
    last = tmp_path / "kept" / "last.ckpt"
    trainer = fit(tmp_path, started(make_encoder), data, resumed, keeper, epochs=5, ckpt_path=last)
    assert trainer.global_step == 8
    assert guard_file(tmp_path)["stopped_after"] == 2


def test_without_labels_the_rank_decides(tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule) -> None:
    images = data.splits.train
    assert isinstance(images, ArrayImages)
    unlabelled = ArrayImages(images.images, None, (), images.ids)
    data.splits = Splits(unlabelled, unlabelled, unlabelled)
    fit(tmp_path, started(make_encoder), data, WarmStartGuard(), Destroy(epoch=0), epochs=1)
    found = guard_file(tmp_path)
    assert [entry["knn_top1"] for entry in found["curve"]] == [None, None]
    assert set(found["broken"]) == {"rank_me", "feature_std"}
    assert found["best"]["ranked_by"] == RANK_ME
    assert found["best"]["epoch"] == 0


def test_a_resumed_run_has_the_curve_and_the_best_state_of_an_undisturbed_one(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule
) -> None:
    fit(tmp_path / "whole", started(make_encoder), data, WarmStartGuard(), epochs=3)

    class Killed(pl.Callback):
        """Raises in the middle of the third epoch."""

        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.current_epoch == 2:
                raise KeyError("killed")

    keeper = ModelCheckpoint(tmp_path / "kept", "last")
    half = tmp_path / "half"
    with pytest.raises(KeyError, match="killed"):
        fit(half, started(make_encoder), data, WarmStartGuard(), keeper, Killed(), epochs=3)
    assert [entry["epoch"] for entry in guard_file(half)["curve"]] == [0, 1, 2]
    start = guard_file(half)["curve"][0]

    resumed = started(make_encoder)
    resumed.encoder.network.conv1.weight.data.zero_()  # a second measurement of step 0 would be of another encoder
    fit(half, resumed, data, WarmStartGuard(), keeper, epochs=3, ckpt_path=tmp_path / "kept" / "last.ckpt")
    assert guard_file(half) == guard_file(tmp_path / "whole")
    assert guard_file(half)["curve"][0] == start
    found, expected = (load_encoder(home / "best").fingerprint() for home in (half, tmp_path / "whole"))
    assert found == expected


def test_a_best_state_that_a_kill_prevented_is_written_on_resuming(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule
) -> None:
    keeper = ModelCheckpoint(tmp_path / "kept", "last")
    method, guard = started(make_encoder), WarmStartGuard()
    guard.curve = [Measurement(0, 0, 0.0, 1.0, 0.0)]  # whatever comes is better
    fit(tmp_path, method, data, guard, keeper, epochs=1)
    assert guard_file(tmp_path)["best"]["epoch"] == 1
    for file in (tmp_path / "best").iterdir():
        file.unlink()
    last = tmp_path / "kept" / "last.ckpt"
    fit(tmp_path, started(make_encoder), data, WarmStartGuard(), keeper, epochs=1, ckpt_path=last)
    assert load_encoder(tmp_path / "best").fingerprint() == method.encoder.fingerprint()


def test_an_encoder_of_nan_ends_the_run_and_leaves_the_best_state(
    tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule
) -> None:
    method = started(make_encoder)
    before = method.encoder.fingerprint()
    with pytest.raises(UserError, match="after epoch 2: the encoder is lost"):
        fit(tmp_path, method, data, WarmStartGuard(), Destroy(epoch=1, value=float("nan")), epochs=3)
    assert len(guard_file(tmp_path)["curve"]) == 2
    if guard_file(tmp_path)["best"]["epoch"] == 0:
        assert load_encoder(tmp_path / "best").fingerprint() == before


def test_loggers_get_every_measurement(tmp_path: Path, make_encoder: MakeEncoder, data: ImageDataModule) -> None:
    logger = CSVLogger(tmp_path, name="", version="")
    guard = WarmStartGuard()
    trainer = fit(tmp_path, started(make_encoder), data, guard, epochs=1, logger=logger)
    assert trainer.global_step == 4
    header, *rows = ((tmp_path / "metrics.csv").read_text()).splitlines()
    names = header.split(",")
    logged = [dict(zip(names, row.split(","), strict=True)) for row in rows]
    seen = [row for row in logged if row["guard/knn_top1"]]
    assert [int(row["step"]) for row in seen] == [0, 4]
    for name, column in (
        ("knn_top1", "guard/knn_top1"),
        ("rank_me", "guard/rank_me"),
        ("feature_std", "guard/feature_std"),
    ):
        assert [float(row[column]) for row in seen] == pytest.approx([m.metrics[name] for m in guard.curve])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_fall": "halt"}, "on_fall 'halt'.*stop, warn"),
        ({"num_images": 1}, "2 images or more"),
        ({"rank_margin": -0.5}, "from 0 to 1"),
        ({"knn_margin": "none"}, "knn_margin=auto"),
    ],
)
def test_nonsense_is_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        WarmStartGuard(**options)


def test_a_command_leaves_the_guard_in_the_run_and_evaluates_its_best_state(tmp_path: Path, command: Command) -> None:
    options = ["epochs=1", "evaluation=none", "guard.num_images=100", "lambda=0"]
    status, error = command("train", *tiny(tmp_path, *options))
    assert status == 0, error
    run = tmp_path / "run"
    facts = json.loads((run / "run.json").read_text())
    assert facts["guard"] == guard_file(run)
    assert facts["guard"]["images"] == {"split": "train", "num": 100, "num_queries": 50}
    (pretrained,) = (tmp_path / "pretrained").iterdir()
    assert not (pretrained / "guard.json").exists()
    best = run / "best" / "encoder.safetensors"
    options = [f"encoder={best}", f"data={tmp_path}/digits.npz", "evaluation=sparsity"]
    status, error = command("evaluate", *options)
    assert status == 0, error
    assert len(list((run / "best").glob("evaluated-*/results/sparsity.json"))) == 1


def test_the_guard_can_be_turned_off(tmp_path: Path, command: Command) -> None:
    status, error = command("train", *tiny(tmp_path, "guard=none", "epochs=1", "evaluation=none"))
    assert status == 0, error
    assert not (tmp_path / "run" / "guard.json").exists()
    assert json.loads((tmp_path / "run" / "run.json").read_text())["guard"] is None
