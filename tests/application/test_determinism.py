"""`seed=` with `trainer.deterministic=true` gives the same numbers to the last digit, in any process."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.application.conftest import LIGHT, tiny
from tests.processes import script, typed

TWO = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]
LOSSES = {"train/loss", "train/ssl_loss", "q_score/term"}
SETTINGS = ["lambda=20", "epsilon=2", "trainer.deterministic=true"]
OPTIONS = [*SETTINGS, "evaluation=all", *LIGHT]
# What a run says of its clock, its places and its machine; everything else is to be the same.
OF_THE_CLOCK = {
    "started",
    "ended",
    "seconds",
    "images_per_second",
    "origins",
    "config",
    "baseline",
    "started_with",
    "evaluated",
    "peak_memory_gb",
    "git_commit",
}


def facts(run: Path) -> dict[str, Any]:
    """`run.json` without clock and places."""
    found: dict[str, Any] = json.loads((run / "run.json").read_text())
    return {name: value for name, value in found.items() if name not in OF_THE_CLOCK}


def logged(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def measured(run: Path) -> dict[str, Any]:
    """The numbers of every result file, by file."""
    files = sorted((run / "results").glob("*.json"))
    return {file.name: json.loads(file.read_text())["metrics"] for file in files}


def assert_same(one: Path, other: Path) -> None:
    assert facts(one) == facts(other)
    assert logged(one) == logged(other)
    assert measured(one) == measured(other)
    assert len(measured(one)) > 3
    assert read(one, "discriminative_features.json") == read(other, "discriminative_features.json")
    assert read(one, "q_score_histograms.json") == read(other, "q_score_histograms.json")
    expected, found = (load_file(run / "encoder.safetensors") for run in (one, other))
    assert all(value.equal(found[name]) for name, value in expected.items())


def read(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in a process of its own, with data workers."""
    home = tmp_path_factory.mktemp("first")
    done = script("train", *tiny(home, *OPTIONS))
    assert done.returncode == 0, done.stderr
    return home / "run"


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_second_run_leaves_the_same_numbers_with_any_number_of_data_workers(
    num_workers: int, run: Path, tmp_path: Path
) -> None:
    data = f"data={run.parent / 'digits.npz'}"
    done = script("train", *tiny(tmp_path, *OPTIONS, data, f"num_workers={num_workers}"))
    assert done.returncode == 0, done.stderr
    assert_same(run, tmp_path / "run")


@pytest.mark.slow
def test_a_run_of_a_sweep_is_the_single_run(run: Path, tmp_path: Path) -> None:
    data = f"data={run.parent / 'digits.npz'}"
    done = script("train", "-m", *tiny(tmp_path, *OPTIONS, data, "lambda=0,20"))
    assert done.returncode == 0, done.stderr
    (swept,) = (tmp_path / "sweep").glob("*lambda20*")
    assert_same(run, swept)


@pytest.mark.slow
def test_two_processes_mine_the_same_features_and_have_the_same_losses_and_metrics(tmp_path: Path) -> None:
    """The held-out images are not a multiple of two. In double precision: what differs then is no rounding."""
    options = [*SETTINGS, "evaluation=knn", "precision=64-true"]
    one, two = tmp_path / "one" / "run", tmp_path / "two" / "run"
    done = script("train", *tiny(one.parent, *options))
    assert done.returncode == 0, done.stderr
    same = [f"data={one.parent / 'digits.npz'}", f"pretrained_dir={one.parent / 'pretrained'}"]
    done = typed("train", *tiny(two.parent, *options, *TWO, *same))
    assert done.returncode == 0, done.stderr
    assert [facts(home)["num_devices"] for home in (one, two)] == [1, 2]
    mined = [read(home, "discriminative_features.json") for home in (one, two)]
    assert mined[0]["features"] == mined[1]["features"]
    pairs = list(zip(logged(one), logged(two), strict=True))
    for alone, together in pairs:
        for name in LOSSES & {name for name, value in alone.items() if value}:
            assert float(together[name]) == pytest.approx(float(alone[name]), rel=1e-5, abs=1e-5), (alone["step"], name)
    assert sum(bool(alone["train/loss"]) for alone, _ in pairs) == facts(one)["num_steps"]
    assert measured(two)["knn.json"] == pytest.approx(measured(one)["knn.json"], abs=2 / 225)  # two images at most
