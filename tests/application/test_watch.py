"""A command under the watch: one message, exit status 2, notices in run.json, no checkpoint of lost weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.application.conftest import tiny

Command = Callable[..., tuple[int, str]]
ONE_EPOCH = ["epochs=1", "evaluation=none", "lambda=0"]
DIVERGING = "++method.small.optimization.learning_rate=1e30"


def facts(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())  # type: ignore[no-any-return]


def test_a_training_that_diverges_ends_with_one_message_and_is_known_by_it(tmp_path: Path, command: Command) -> None:
    status, error = command("train", *tiny(tmp_path, *ONE_EPOCH, DIVERGING, "pretrain_epochs=3"))
    assert status == 2
    assert error.startswith("train.py: Step ")
    assert "is not finite. Likely causes, likeliest first: (1) the learning rate" in error
    assert "Traceback" not in error
    (pretrained,) = (tmp_path / "pretrained").iterdir()
    (notice,) = facts(pretrained)["noticed"]
    assert (notice["kind"], facts(pretrained)["status"]) == ("not_finite", "running")
    assert json.loads((pretrained / "noticed.json").read_text()) == [notice]
    assert not list(tmp_path.rglob("*.ckpt"))
    assert not (pretrained / "encoder.safetensors").exists()


def test_a_healthy_run_says_that_nothing_was_noticed_and_the_watch_can_be_turned_off(
    tmp_path: Path, command: Command
) -> None:
    status, error = command("train", *tiny(tmp_path, *ONE_EPOCH))
    assert status == 0, error
    assert facts(tmp_path / "run")["noticed"] == []
    assert "watch/rank_me" in (tmp_path / "run" / "metrics.csv").read_text()
    status, error = command("train", *tiny(tmp_path, *ONE_EPOCH, "watch=none", f"run_dir={tmp_path}/plain"))
    assert status == 0, error
    assert facts(tmp_path / "plain")["noticed"] is None
    names = ("encoder.safetensors",)
    assert [(tmp_path / "run" / name).read_bytes() for name in names] == [
        (tmp_path / "plain" / name).read_bytes() for name in names
    ]
