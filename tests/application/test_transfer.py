"""Data sets to transfer to, named as a user names data: found before anything else is done, or said to be missing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qscore.application.command_line import expand_shortcuts
from qscore.encoders import Encoder, save_encoder
from qscore.errors import UserError
from qscore.results import load_result
from tests.application.conftest import tiny

Command = Callable[..., tuple[int, str]]
DATASETS = "evaluation.transfer.datasets"
KNOWN = ("cifar10", "embedded", "stl10")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """`shades/`, a folder of two classes; `flat/`, one without; `squares.npz`, with labels."""
    generator = np.random.default_rng(0)
    for i in range(40):
        folder = tmp_path / "shades" / ("dark" if i % 2 else "light")
        for place in (folder, tmp_path / "flat"):
            place.mkdir(parents=True, exist_ok=True)
            pixels = generator.integers(0, 60, (24, 18), np.uint8) + np.uint8(0 if i % 2 else 150)
            Image.fromarray(pixels).save(place / f"{i}.png")
    squares = generator.integers(0, 99, (60, 20, 20), np.uint8)
    np.savez(tmp_path / "squares.npz", images=squares, labels=np.arange(60) % 3)
    return tmp_path


@pytest.fixture
def asked(images: Path, encoder: Encoder) -> list[str]:
    """Options of evaluate.py up to the data sets."""
    save_encoder(encoder, images)
    data = [f"data={images}/squares.npz", "data.image_size=28", f"out={images}/out", "trainer.accelerator=cpu"]
    return [f"encoder={images}/encoder.safetensors", *data]


def test_names_folders_and_files_become_choices_of_data() -> None:
    value = "[cifar10,'/a b/photos 1', /c/photos_1, ~/x.npz]"
    expanded = expand_shortcuts([f"{DATASETS}={value}"], "evaluate", known_data=KNOWN)
    assert expanded[:3] == [
        f"+data@{DATASETS}.cifar10=cifar10",
        f"+data@{DATASETS}.photos_1=folder",
        f"{DATASETS}.photos_1.source.root='/a b/photos 1'",
    ]
    assert expanded[3:5] == [f"+data@{DATASETS}.photos_1_2=folder", f"{DATASETS}.photos_1_2.source.root='/c/photos_1'"]
    assert expanded[5:] == [f"+data@{DATASETS}.x=npz", f"{DATASETS}.x.source.path='{Path.home()}/x.npz'"]
    assert expand_shortcuts([f"{DATASETS}=stl10"], "train", known_data=KNOWN) == [f"+data@{DATASETS}.stl10=stl10"]
    with pytest.raises(UserError, match="Did you mean 'cifar10'"):
        expand_shortcuts([f"{DATASETS}=[cifar1]"], "train", known_data=KNOWN)


def test_an_encoder_is_probed_on_every_data_set(images: Path, asked: list[str], command: Command) -> None:
    datasets = f"{DATASETS}=[{images}/shades,{images}/squares.npz]"
    status, error = command("evaluate", *asked, "evaluation=[dominance,transfer]", datasets)
    assert status == 0, error
    results = images / "out" / "results"
    assert {file.stem for file in results.glob("*.json")} == {"dominance", "transfer"}
    found = load_result(results / "transfer.json")
    assert found.metrics["shades/top1"] == 1.0
    assert set(found.metrics) == {"shades/top1", "squares/top1", "average"}
    assert found.settings["image_size"] == 28


def test_every_data_set_that_is_missing_is_named_before_training(images: Path, command: Command) -> None:
    wanted = f"{DATASETS}=[embedded,cifar10,{images}/flat,{images}/nowhere]"
    options = tiny(images, "evaluation=transfer", "data_root=nowhere", wanted)
    status, error = command("train", *options)
    assert status == 2, error
    for part in ("3 of 4", "cifar10: ", "flat: ", "nowhere: ", f"{DATASETS}.NAME.source.download"):
        assert part in error, error
    assert "embedded:" not in error
    assert "Traceback" not in error
    assert not (images / "pretrained").exists()


def test_no_data_set_and_no_evaluation_of_it_are_mistakes(asked: list[str], command: Command) -> None:
    status, error = command("evaluate", *asked, "evaluation=transfer")
    assert (status, "got none; name them" in error) == (2, True), error
    status, error = command("evaluate", *asked, "evaluation=sparsity", f"{DATASETS}=[embedded]")
    assert (status, "evaluation=[all,transfer]" in error) == (2, True), error
