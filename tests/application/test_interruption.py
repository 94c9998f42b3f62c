"""A run killed in the middle ends, once resumed, as if nothing had happened."""

import json
import signal
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.application.conftest import NUM_STEPS_PER_EPOCH, tiny
from tests.processes import Child, script

NUM_EPOCHS = 5


def struck_when(home: Path, condition: str, signum: int, *arguments: str) -> Child:
    """Starts training and strikes it a little after a file matching a pattern exists; returns it once it has ended."""
    with Child(["train", *arguments], home.with_suffix(".log")).start() as child:
        child.wait_until(lambda: list(home.glob(condition)), 120)
        time.sleep(0.3)
        assert child.process.is_alive()
        child.strike(signum)  # as a terminal does: to the processes that load images too
        assert child.wait(60) is not None, "it did not end"
    return child


@pytest.mark.slow
def test_a_killed_run_is_resumed_with_its_features_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    options = [f"epochs={NUM_EPOCHS}", "lambda=20", "evaluation=knn"]
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    assert script("train", *tiny(undisturbed, *options)).returncode == 0

    struck_when(disturbed, "run/checkpoints/last.ckpt", signal.SIGKILL, *tiny(disturbed, *options))
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
    struck_when(tmp_path, "pretrained/*/checkpoints/last.ckpt", signal.SIGKILL, *tiny(tmp_path, *options))
    (pretrained,) = (tmp_path / "pretrained").iterdir()
    assert json.loads((pretrained / "run.json").read_text())["status"] == "running"
    done = script("train", f"resume={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    assert json.loads((pretrained / "run.json").read_text())["num_steps"] == NUM_EPOCHS * NUM_STEPS_PER_EPOCH
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "complete"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_training_that_is_asked_to_end_says_how_to_go_on(number: int, name: str, tmp_path: Path) -> None:
    options = tiny(tmp_path, "pretrain_epochs=0", "epochs=500")
    child = struck_when(tmp_path, "run/checkpoints/last.ckpt", number, *options)
    error = child.said
    assert child.process.exitcode == 128 + number, error
    said = f"train.py: ended by {name}. Go on with: python train.py resume={tmp_path}/run"
    assert error.strip().endswith(said)  # behind a progress bar
    assert "Traceback" not in error
