"""Loggers: CSV always; W&B offline by itself, one run each; TensorBoard; nothing."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.application.conftest import tiny
from tests.processes import typed

Command = Callable[..., tuple[int, str]]
NO_ACCOUNT = {"WANDB_API_KEY": "", "NETRC": "/nonexistent", "WANDB_CONFIG_DIR": "/nonexistent"}


@pytest.mark.slow
def test_wandb_goes_offline_without_an_account_and_ends_each_run_of_a_sweep(tmp_path: Path) -> None:
    options = ["logger=wandb", "epochs=1", "evaluation=linear_probe", "lambda=0,20"]
    done = typed("train", "-m", *tiny(tmp_path, *options), HOME=str(tmp_path), **NO_ACCOUNT)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "No W&B account" in said
    assert "wandb sync" in said
    runs = [path for path in (tmp_path / "sweep").iterdir() if path.is_dir()]
    assert len(runs) == 2
    for run in runs:
        (offline,) = (run / "wandb").glob("offline-run-*")
        (record,) = offline.glob("*.wandb")
        content = record.read_bytes()
        assert b"q_score/histogram" in content
        assert b"report/" in content
        assert (run / "metrics.csv").exists()


def test_a_refused_wandb_key_does_not_stop_the_run(tmp_path: Path) -> None:
    options = ["logger=wandb", "epochs=1", "evaluation=none"]
    done = typed("train", *tiny(tmp_path, *options), HOME=str(tmp_path), **{**NO_ACCOUNT, "WANDB_API_KEY": "abc"})
    assert done.returncode == 0, done.stderr
    assert "W&B cannot be reached" in done.stdout + done.stderr
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*"))


def test_tensorboard_and_csv(tmp_path: Path, command: Command) -> None:
    options = ["logger=tensorboard", "epochs=1", "evaluation=none"]
    status, error = command("train", *tiny(tmp_path, *options))
    assert status == 0, error
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))
    with (tmp_path / "run" / "metrics.csv").open() as file:
        assert any(row["train/loss"] for row in csv.DictReader(file))


def test_no_logger(tmp_path: Path, command: Command) -> None:
    status, error = command("train", *tiny(tmp_path, "logger=none", "epochs=1", "evaluation=none"))
    assert status == 0, error
    assert not (tmp_path / "run" / "metrics.csv").exists()
