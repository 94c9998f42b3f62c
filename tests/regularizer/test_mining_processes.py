"""Two processes that mine together find what one finds, to the bit, and each encodes its share."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import REPOSITORY
from tests.regularizer.mining_processes import NUM_GIVEN, SIZE_PX, mined

NUM_FILES, UNREADABLE = 203, (3, 120)
LOADERS = ("in order", "at random", "distributed")


def draw(folder: Path) -> None:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for i in range(NUM_FILES):
        Image.fromarray(generator.integers(0, 255, (SIZE_PX, SIZE_PX, 3), np.uint8)).save(folder / f"{i:03d}.png")
    for i in UNREADABLE:
        (folder / f"{i:03d}.png").write_bytes(b"no image")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What one process alone finds, then what each of two finds."""
    alone, together = (tmp_path_factory.mktemp(name) for name in ("alone", "together"))
    for folder in (alone, together):
        draw(folder / "images")
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.regularizer.mining_processes", str(together)]
    processes = [
        subprocess.Popen([*command, str(rank), "2"], env=environment, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    return [mined(alone), *(torch.load(together / f"{rank}.pt", weights_only=True) for rank in range(2))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["files", "cache", *LOADERS])
def test_two_processes_find_what_one_finds(kind: str, found: list[dict[str, Any]]) -> None:
    alone = found[0][kind]
    assert alone["discriminative"].any()
    assert alone["num_samples"] == (NUM_GIVEN if kind in LOADERS else NUM_FILES - len(UNREADABLE))
    for process in found[1:]:
        for name, value in alone.items():
            other = process[kind][name]
            if name == "num_encoded":
                assert 0 < other < value
            elif name in ("threshold", "mean_q") and kind in LOADERS[1:]:  # batches in another order
                assert other == pytest.approx(value, rel=1e-5)
            else:
                assert torch.equal(other, value) if isinstance(value, torch.Tensor) else other == value, name
    for name in ("threshold", "mean_q"):
        assert found[1][kind][name] == found[2][kind][name]


@pytest.mark.slow
def test_no_image_is_encoded_twice(found: list[dict[str, Any]]) -> None:
    for kind in ("files", "cache"):
        assert sum(process[kind]["num_encoded"] for process in found[1:]) == NUM_FILES
    for kind in ("in order", "at random"):
        assert sum(process[kind]["num_encoded"] for process in found[1:]) == NUM_GIVEN
