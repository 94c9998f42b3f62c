"""A user's mistake gets one clear message, exit status 2, and no traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hydra.errors import ConfigCompositionException
from PIL import Image

from qscore.application.command_line import expand_shortcuts, run_command
from qscore.errors import UserError
from qscore.report.__main__ import main as report
from tests.application.conftest import BOOTSTRAPS, TASKS, tiny
from tests.conftest import REPOSITORY
from tests.processes import typed

Command = Callable[..., tuple[int, str]]


def assert_clear(status: int, error: str, *said: str) -> None:
    assert status == 2, error
    assert "Traceback" not in error
    for part in said:
        assert part in error, error
    assert len(error.strip().splitlines()) <= 12, error
    assert any(line.startswith(("train.py: ", "evaluate.py: ")) for line in error.splitlines()), error
    assert "Error executing job" not in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lamda=0.1"], ["unknown option 'lamda'", "Did you mean lambda"]),
        (["method.temperature=0.2"], ["unknown option", "method.small.module.temperature"]),
        (["method=simclrr"], ["simclrr", "simclr", "byol"]),
        (["data=cifar"], ["cifar10"]),
        (["data=nofolder"], ["cifar10", "Nor is there a folder nofolder here"]),
        (["evaluation=forced-choice"], ["Did you mean 'forced_choice'?", "sparsity", "transfer"]),
        (["lambda=0,1"], ["lambda=0,1", "--multirun"]),
        (["evaluation=knn", BOOTSTRAPS], ["not part of this configuration"]),
        (["checkpoint=nowhere"], ["checkpoint", "nowhere"]),
        (["checkpoint=pyproject.toml"], ["torch.save or safetensors"]),
        (["data=does/not/exist"], ["folder of images", "does/not/exist"]),
        (["data=does/not/exist.npz"], [".npz", "exist"]),
        (["data=cifar10", "data_root=nowhere"], ["CIFAR10", "data.source.download=true"]),
        (["resume=nowhere"], ["resume=nowhere alone", "epochs=2"]),
        (["alpha={quantile: 2}"], ["quantile"]),
        (["encoder.architecture=resnet9"], ["resnet9", "resnet18"]),
        (["logger.kind=tensorbord"], ["Did you mean 'tensorboard'"]),
        (["epsilon=huge", "checkpoint=null"], ["epsilon", "'huge'"]),
        (["batch_size=100000"], ["batch_size=100000", "675"]),
        (["alpha=median"], ["Unknown threshold (alpha) 'median'", "mined_mean"]),
        (["lambda=-1"], ["at least 0"]),
        (["formula=ration"], ["Did you mean 'ratio'"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_mistakes_of_train(arguments: list[str], said: list[str], tmp_path: Path, command: Command) -> None:
    assert_clear(*command("train", *tiny(tmp_path, "pretrain_epochs=0", *arguments)), *said)


def test_mistakes_of_evaluate(tmp_path: Path, command: Command) -> None:
    assert_clear(*command("evaluate"), "run=RUN_DIR", "encoder=FILE")
    assert_clear(*command("evaluate", f"run={tmp_path}"), "run.json")
    assert_clear(*command("evaluate", "run=a", "encoder=b"), "either run=RUN_DIR or encoder=FILE")
    assert_clear(*command("evaluate", "encoder=nothing.safetensors", "data=embedded"), "nothing.safetensors")
    assert_clear(*command("evaluate", "encoder=x"), "data=cifar10")
    assert_clear(*command("evaluate", "encoder=x", "data=nofolder"), "Nor is there a folder nofolder here")


@pytest.mark.parametrize("how", ["--config-dir {}", "--config-dir={}", "hydra.searchpath=[{}]"])
def test_a_data_set_of_ones_own_configurations_is_no_mistake(how: str, tmp_path: Path, command: Command) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(REPOSITORY / "conf" / "data" / "embedded.yaml", tmp_path / "data" / "mine.yaml")
    status, error = command("train", "--cfg", "job", *how.format(tmp_path).split(), "data=mine")
    assert status == 0, error
    assert_clear(*command("train", *how.format(tmp_path).split(), "data=other"), "data", "other", "mine")


def test_a_folder_without_images_and_one_with_one_class(sweep: Path, tmp_path: Path, command: Command) -> None:
    empty, single = tmp_path / "empty", tmp_path / "single"
    empty.mkdir()
    assert_clear(*command("train", *tiny(tmp_path, f"data={empty}")), "found none")

    (single / "only").mkdir(parents=True)
    for i in range(8):
        Image.fromarray(np.full((28, 28), 30 * i, np.uint8)).save(single / "only" / f"{i}.png")
    run = next(path for path in (sweep / "sweep").iterdir() if path.is_dir())
    for file in ("encoder.safetensors", "encoder.json"):
        shutil.copy(run / file, tmp_path)
    found = command("evaluate", f"encoder={tmp_path}/encoder.safetensors", f"data={single}", "num_workers=0")
    assert_clear(*found, "at least 2 classes")


def test_one_class_is_seen_before_training_and_unlabelled_images_are_trained_on(
    tmp_path: Path, command: Command
) -> None:
    flat, single = tmp_path / "flat", tmp_path / "single" / "only"
    for folder in (flat, single):
        folder.mkdir(parents=True)
        for i in range(200):
            Image.fromarray(np.full((28, 28), i, np.uint8)).save(folder / f"{i}.png")
    assert_clear(*command("train", *tiny(tmp_path, f"data={single.parent}")), "at least 2 classes")
    assert not (tmp_path / "pretrained").exists()
    status, error = command("train", *tiny(tmp_path, f"data={flat}", "epochs=1"))
    assert status == 0, error
    assert {file.stem for file in (tmp_path / "run" / "results").glob("*.json")} == {"sparsity", "dominance", "quality"}


def test_another_run_in_the_directory_is_not_overwritten(sweep: Path, command: Command) -> None:
    run = next(path for path in (sweep / "sweep").iterdir() if path.is_dir())
    weights = (run / "encoder.safetensors").read_bytes()
    quoted = str(run).replace("=", r"\=").replace(",", r"\,")
    assert_clear(
        *command("train", *tiny(sweep, "lambda=3", f"run_dir={quoted}", BOOTSTRAPS)), "other settings", "regularizer"
    )
    assert (run / "encoder.safetensors").read_bytes() == weights


def test_the_report_explains_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report([str(tmp_path / "nowhere")]) == 2
    assert "found none" in capsys.readouterr().err
    (tmp_path / "run.json").write_text('{"stage": "pretrain", "config": {}}')
    assert report([str(tmp_path)]) == 2
    assert "evaluate.py" in capsys.readouterr().err


def test_features_that_do_not_match_are_named(sweep: Path, tmp_path: Path, command: Command) -> None:
    run = next(path for path in (sweep / "sweep").iterdir() if path.is_dir())
    asked = [f"checkpoint='{run}'", "encoder=resnet18"]
    assert_clear(*command("train", *tiny(tmp_path, *asked)), "resnet10 of 64 features", "encoder=resnet18")
    head = [f"checkpoint='{run}'", "+method.small.module.projection_dim=7", "evaluation=none"]
    assert_clear(*command("train", *tiny(tmp_path, *head)), "projection_head", "instead of (7, 64)")
    shutil.copy(run / "encoder.safetensors", tmp_path)
    settings = json.loads((run / "encoder.json").read_text())
    (tmp_path / "encoder.json").write_text(json.dumps({**settings, "width": 0.25}))
    found = command("evaluate", f"encoder={tmp_path}/encoder.safetensors", "data=embedded")
    assert_clear(*found, "keys differ", "instead of")


def test_a_process_ends_with_status_2() -> None:
    plain = typed("train", "lamda=1")
    assert_clear(plain.returncode, plain.stderr, "Did you mean lambda")


def test_the_traceback_is_shown_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.py", "lamda=1"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ConfigCompositionException):
        run_command(TASKS["train"], config_name="train")


def test_shortcuts_are_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a, b=c").mkdir()
    assert expand_shortcuts([f"data={tmp_path}/a, b=c"], "train") == [
        "data=folder",
        f"data.source.root='{tmp_path}/a, b=c'",
    ]
    assert expand_shortcuts(["data=x/y.npz"], "train")[0] == "data=npz"
    (tmp_path / "cifar10").mkdir()
    monkeypatch.chdir(tmp_path)
    assert expand_shortcuts(["data=cifar10"], "train", known_data=["cifar10"]) == ["data=cifar10"]
    assert expand_shortcuts(["data=./cifar10"], "train", known_data=["cifar10"])[0] == "data=folder"
    assert expand_shortcuts(["resume=null", "lambda=1"], "train") == ["resume=null", "lambda=1"]
    with pytest.raises(UserError, match=r"run\.json"):
        expand_shortcuts([f"resume={tmp_path}"], "train")
