"""`train.py trainer=ddp` with two processes leaves what one process leaves, once, also after an interruption."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.application.conftest import tiny
from tests.application.test_interruption import struck_when
from tests.processes import script

OPTIONS = ["epochs=3", "lambda=2", "evaluation=knn", "precision=64-true"]  # what differs then is no rounding
TOLERANCE = 1e-4  # Q is of single precision, and leaps where a feature becomes dominant
TWO = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]


def files(run: Path) -> set[str]:
    """But for those named after a fingerprint, and those of before the interruption."""
    found = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(("representations/", "metrics.1"))}


def facts(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "run.json").read_text())
    return found


@pytest.mark.slow
def test_two_processes_killed_and_resumed_leave_the_run_of_one(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    done = script("train", *tiny(one, *OPTIONS))
    assert done.returncode == 0, done.stderr
    struck_when(
        two, "run/checkpoints/last.ckpt", signal.SIGKILL, *tiny(two, *OPTIONS, *TWO, f"data={one / 'digits.npz'}")
    )
    assert facts(two / "run")["status"] == "running"
    done = script("train", f"resume={two / 'run'}")
    assert done.returncode == 0, done.stderr

    assert files(two / "run") == files(one / "run")
    assert len(list((two / "pretrained").glob("*/run.json"))) == 1
    alone, together = facts(one / "run"), facts(two / "run")
    assert together["status"] == "complete"
    assert (alone["num_devices"], together["num_devices"]) == (1, 2)
    assert together["num_steps"] == alone["num_steps"]
    assert together["final_metrics"] == pytest.approx(alone["final_metrics"], rel=TOLERANCE, abs=1e-6)
    for seen, expected in zip(together["guard"]["curve"], alone["guard"]["curve"], strict=True):
        assert seen == pytest.approx(expected, rel=TOLERANCE)
    found, wanted = (load_file(home / "run" / "encoder.safetensors") for home in (two, one))
    for name, value in wanted.items():
        assert value.allclose(found[name], rtol=10 * TOLERANCE, atol=10 * TOLERANCE), name
    results = [json.loads((home / "run" / "results" / "knn.json").read_text())["metrics"] for home in (one, two)]
    assert results[0] == pytest.approx(results[1], abs=2 / 225)  # two images, of representations in single precision
