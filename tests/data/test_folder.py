from pathlib import Path

import numpy as np
import pytest
from lightly.transforms import SimCLRTransform
from PIL import Image

from qscore.data import ImageDataModule
from qscore.data.folder import image_folder
from qscore.errors import UserError, UserFileNotFoundError


def draw(folder: Path, names: list[str], size: int = 32) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(len(names))
    for name in names:
        Image.fromarray(generator.integers(0, 255, (size, size, 3), np.uint8)).save(folder / name)


def numbered(count: int, suffix: str = "png") -> list[str]:
    return [f"{i:03}.{suffix}" for i in range(count)]


def test_class_folders_are_split_with_every_class_on_both_sides(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        draw(tmp_path / name, numbered(8))
    draw(tmp_path / ".thumbnails", numbered(3))
    splits = image_folder(str(tmp_path))
    assert splits.train.class_names == ("cat", "dog")
    assert splits.train.labels is not None
    assert splits.test.labels is not None
    assert splits.train.labels.bincount().tolist() == [6, 6]
    assert splits.test.labels.bincount().tolist() == [2, 2]
    assert not set(splits.train.ids) & set(splits.test.ids)
    assert image_folder(str(tmp_path)).test.ids == splits.test.ids


def test_imagenet_layout_and_a_list_of_classes(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for name in ("n01", "n02", "n03"):
            draw(tmp_path / part / name, numbered(2, "JPEG"))
    (tmp_path / "list.txt").write_text("n03\nn01\n")
    splits = image_folder(str(tmp_path), classes=str(tmp_path / "list.txt"))
    assert splits.test.class_names == ("n01", "n03")
    assert len(splits.train) == 4
    with pytest.raises(UserError, match=r"1 are missing: .'n99'"):
        image_folder(str(tmp_path), classes=["n01", "n99"])
    draw(tmp_path / "val" / "n04", numbered(1))
    with pytest.raises(UserError, match=r"differing: .'n04'"):
        image_folder(str(tmp_path))


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    draw(tmp_path, numbered(8, "jpg"))
    (tmp_path / "notes.txt").write_text("no image")
    splits = image_folder(str(tmp_path))
    assert splits.train.labels is None
    assert len(splits.train) + len(splits.test) == 8


@pytest.mark.parametrize("content", ["nothing", "missing", "unset", "one", "no list"])
def test_folders_that_cannot_serve_are_explained(content: str, tmp_path: Path) -> None:
    if content == "one":
        draw(tmp_path, ["a.png"])
        with pytest.raises(UserError, match="at least 2"):
            image_folder(str(tmp_path))
        return
    if content == "no list":
        draw(tmp_path / "a", ["a.png"])
        with pytest.raises(UserFileNotFoundError, match="one class folder a line"):
            image_folder(str(tmp_path), classes=str(tmp_path / "list.txt"))
        return
    root = {"nothing": str(tmp_path), "missing": str(tmp_path / "nowhere"), "unset": None}[content]
    with pytest.raises(UserError, match="Expected"):
        image_folder(root)


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_few_unreadable_files_are_left_out_and_listed(
    num_workers: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    draw(tmp_path / "train" / "a", numbered(150))
    draw(tmp_path / "val" / "a", numbered(2))
    damage(tmp_path / "train" / "a" / "007.png")
    splits = image_folder(str(tmp_path))
    data = ImageDataModule(
        splits, SimCLRTransform(32, normalize=None), image_size=32, batch_size=50, num_workers=num_workers
    )
    readable = [bool(flag) for batch in data.plain_loader("train") for flag in batch.readable]
    assert readable.count(False) == 1
    for batch in data.train_dataloader():
        data.on_before_batch_transfer(batch, 0)
    assert caplog.text.count("1 of 150 images") == 1
    assert "007.png" in caplog.text


@pytest.mark.parametrize("num_workers", [0, 2])
def test_more_than_one_percent_unreadable_stops_the_run_with_the_list(num_workers: int, tmp_path: Path) -> None:
    draw(tmp_path / "train" / "a", numbered(100))
    draw(tmp_path / "val" / "a", numbered(2))
    for name in ("003.png", "050.png"):
        damage(tmp_path / "train" / "a" / name)
    splits = image_folder(str(tmp_path))
    data = ImageDataModule(
        splits, SimCLRTransform(32, normalize=None), image_size=32, batch_size=50, num_workers=num_workers
    )
    with pytest.raises(UserError, match=r"2 of 100 [\s\S]*003.png\n.*050.png\nMore than 1%"):
        [data.on_before_batch_transfer(batch, 0) for batch in data.train_dataloader()]


def test_fingerprint_follows_the_files(tmp_path: Path) -> None:
    draw(tmp_path / "a", numbered(4))
    before = image_folder(str(tmp_path)).train.fingerprint
    assert image_folder(str(tmp_path)).train.fingerprint == before
    for file in (tmp_path / "a").iterdir():
        file.touch()
    assert image_folder(str(tmp_path)).train.fingerprint != before


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_folder_where_nothing_can_be_read_is_not_trained_on(num_workers: int, tmp_path: Path) -> None:
    draw(tmp_path / "a", numbered(8))
    for file in (tmp_path / "a").iterdir():
        damage(file)
    data = ImageDataModule(
        image_folder(str(tmp_path)),
        SimCLRTransform(32, normalize=None),
        image_size=32,
        batch_size=2,
        num_workers=num_workers,
    )
    with pytest.raises(UserError, match="cannot be read"):
        [data.on_before_batch_transfer(batch, 0) for batch in data.train_dataloader()]
