"""DDP with two processes on CPUs is training with one: every method, with the regularizer, at equal global batch."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import REPOSITORY
from tests.methods.two_processes import KINDS, SHAPES, norm_and_input, normalise, shares, train

Found = dict[str, Any]


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Found]]:
    folder = tmp_path_factory.mktemp("ddp")
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "tests.methods.two_processes", str(folder)]
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def both(kind: str, processes: list[dict[str, Found]]) -> list[Found]:
    return [process[kind] for process in processes]


@pytest.fixture
def alone(kind: str, tmp_path: Path) -> Found:
    return train(tmp_path, kind)


@pytest.mark.slow
def test_the_processes_agree_on_everything_that_a_method_holds(both: list[Found]) -> None:
    first, second = both
    for part in ("state", "banks"):
        assert first[part].keys() == second[part].keys()
        for name, value in first[part].items():
            assert torch.equal(value, second[part][name]), name
    for part in ("logged", "norms", "weight", "histograms"):
        assert first[part] == second[part], part
    assert "GlobalBatchNorm" not in first["layers"]  # put back after training


@pytest.mark.slow
def test_two_processes_train_as_one(both: list[Found], alone: Found) -> None:
    first, second = both
    for one, *halves in zip(alone["positions"], first["positions"], second["positions"], strict=True):
        assert torch.equal(torch.stack(halves, 1).flatten(), one)
    assert first["weight"] == pytest.approx(alone["weight"], rel=1e-5)
    for found, expected in zip(first["logged"], alone["logged"], strict=True):
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert [sum(entry["counts"]) for entry in first["histograms"]] == [
        sum(entry["counts"]) for entry in alone["histograms"]
    ]
    for name, value in alone["state"].items():
        torch.testing.assert_close(first["state"][name], value, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
    for name, value in alone["banks"].items():  # the processes' keys enter one process after another
        torch.testing.assert_close(_in_order(first["banks"][name]), _in_order(value), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_of_shares_is_that_of_the_whole_batch(
    shape: tuple[int, ...], processes: list[dict[Any, Found]]
) -> None:
    expected = normalise(*norm_and_input(shape))
    for rank, process in enumerate(processes):
        for name, value in process["batch_norm"][shape].items():  # type: ignore[index]
            whole = expected[name]
            share = whole[shares(rank)] if whole.shape == shape else whole
            torch.testing.assert_close(value, share, msg=lambda m, n=name: f"{n}: {m}")


def _in_order(bank: torch.Tensor) -> torch.Tensor:
    return bank[bank[:, 0].argsort()] if bank.ndim == 2 else bank
