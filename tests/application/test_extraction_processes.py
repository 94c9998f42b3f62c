"""evaluate.py on two devices leaves what it leaves on one."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from qscore.encoders import Encoder, save_encoder
from qscore.results import load_result
from qscore.score import load_representations
from tests.processes import typed

NUM_IMAGES = 333  # neither it nor its parts are a multiple of devices or of the batch size
ON_TWO = ["trainer.accelerator=cpu", "trainer.devices=2", "trainer.strategy=ddp"]


def evaluated(home: Path, images: Path, *options: str) -> str:
    settings = ["batch_size=32", "num_workers=0", "evaluation=knn"]
    done = typed("evaluate", f"encoder={home}", f"data={images}", f"out={home}/out", *settings, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_two_devices_extract_what_one_extracts(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 255, (NUM_IMAGES, 16, 16, 3), np.uint8)
    np.savez(tmp_path / "images.npz", images=pixels, labels=np.arange(NUM_IMAGES) % 3)
    torch.manual_seed(0)
    save_encoder(Encoder("resnet10", stem="cifar", width=0.0625), tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert "Starting with" not in evaluated(tmp_path / "one", tmp_path / "images.npz")
    said = evaluated(tmp_path / "two", tmp_path / "images.npz", *ON_TWO)
    assert "Starting with 2 processes" in said
    assert said.count("Evaluating") == 1
    num_rows = 0
    for split in ("train", "test"):
        one, two = (
            load_representations(next((tmp_path / name / "representations").glob(f"{split}-*")))
            for name in ("one", "two")
        )
        assert torch.equal(one.h, two.h)
        assert one.ids == two.ids
        assert len(set(two.ids)) == len(two.ids)
        num_rows += len(two.h)
    assert num_rows == NUM_IMAGES
    assert not list(tmp_path.rglob("*.partial"))
    first, second = (load_result(tmp_path / name / "out" / "results" / "knn.json") for name in ("one", "two"))
    assert first.metrics == second.metrics
