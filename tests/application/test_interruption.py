"""A run killed in the middle ends, once resumed, as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.application.conftest import NUM_STEPS_PER_EPOCH, script, tiny
from tests.conftest import REPOSITORY

NUM_EPOCHS = 5


def kill_when(home: Path, condition: str, *arguments: str) -> None:
    """Starts training and kills it as soon as a file matching a pattern exists, a little into the next epoch."""
    command = [sys.executable, str(REPOSITORY / "train.py"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(home.glob(condition)):
        assert process.poll() is None, "training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.3)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_killed_run_is_resumed_with_its_features_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    options = [f"epochs={NUM_EPOCHS}", "lambda=20", "evaluation=knn"]
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    assert script("train", *tiny(undisturbed, *options)).returncode == 0

    kill_when(disturbed, "run/checkpoints/last.ckpt", *tiny(disturbed, *options))
    run = disturbed / "run"
    before = json.loads((run / "run.json").read_text())
    assert before["status"] == "running"
    assert not (run / "encoder.safetensors").exists()
    mined = json.loads((run / "discriminative_features.json").read_text())

    done = script("train", f"resume={run}")
    assert done.returncode == 0, done.stderr
    after = json.loads((run / "run.json").read_text())
    assert (after["status"], after["num_steps"]) == ("complete", NUM_EPOCHS * NUM_STEPS_PER_EPOCH)
    assert after["started"] == before["started"]
    assert json.loads((run / "discriminative_features.json").read_text()) == mined
    assert (run / "metrics.1.csv").exists()
    assert [entry["epoch"] for entry in json.loads((run / "q_score_histograms.json").read_text())] == list(
        range(NUM_EPOCHS)
    )

    expected, found = (load_file(home / "run" / "encoder.safetensors") for home in (undisturbed, disturbed))
    for name, value in expected.items():
        assert value.equal(found[name]), name
    assert (
        json.loads((run / "results" / "knn.json").read_text())["metrics"]
        == (json.loads((undisturbed / "run" / "results" / "knn.json").read_text())["metrics"])
    )


@pytest.mark.slow
def test_a_killed_pretraining_goes_on_when_the_run_is_resumed(tmp_path: Path) -> None:
    options = [f"pretrain_epochs={NUM_EPOCHS}", "epochs=1", "evaluation=none"]
    kill_when(tmp_path, "pretrained/*/checkpoints/last.ckpt", *tiny(tmp_path, *options))
    (pretrained,) = (tmp_path / "pretrained").iterdir()
    assert json.loads((pretrained / "run.json").read_text())["status"] == "running"
    done = script("train", f"resume={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    assert json.loads((pretrained / "run.json").read_text())["num_steps"] == NUM_EPOCHS * NUM_STEPS_PER_EPOCH
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "complete"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_training_that_is_asked_to_end_says_how_to_go_on(number: int, name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "train.py"), *tiny(tmp_path, "pretrain_epochs=0", "epochs=500")]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None, "training ended before it could be asked to"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, number)  # as a terminal does: to the processes that load images too
    _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number, error
    said = f"train.py: ended by {name}. Go on with: python train.py resume={tmp_path}/run"
    assert error.strip().endswith(said)  # behind a progress bar
    assert "Traceback" not in error
