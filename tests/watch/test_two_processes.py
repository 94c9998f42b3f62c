"""DDP with two processes on CPUs: both see the batch of both, and end together when one of them meets a NaN."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import REPOSITORY
from tests.watch.two_processes import BROKEN_STEP


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ddp")
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "tests.watch.two_processes", str(folder)]
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PL_GLOBAL_SEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "said").write_text(done.stderr)
    return folder


@pytest.fixture(scope="module")
def both(folder: Path) -> list[dict[str, Any]]:
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.slow
def test_both_processes_notice_the_same(both: list[dict[str, Any]], folder: Path) -> None:
    one, other = both
    for name in ("healthy", "collapsed"):
        assert one[name] == other[name]
        assert one[name]["signals"] is not None
    assert one["healthy"]["noticed"] == []
    assert one["collapsed"]["noticed"][0]["kind"] == "collapse"
    assert json.loads((folder / "collapsed" / "noticed.json").read_text()) == one["collapsed"]["noticed"]
    assert (folder / "said").read_text().count("the encoder is collapsing") == 1


@pytest.mark.slow
def test_a_loss_that_is_not_finite_in_one_process_ends_both_at_the_same_step(both: list[dict[str, Any]]) -> None:
    said = [found["broken"]["said"] for found in both]
    assert said[0] == said[1]
    assert said[0].startswith(f"Step {BROKEN_STEP}: the loss is not finite")
