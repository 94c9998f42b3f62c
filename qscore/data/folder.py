"""Image folders: split folders, class folders, or a flat pile without labels; ImageNet and its subsets among them."""

import os
from pathlib import Path

import numpy as np

from qscore.data.reading import EXTENSIONS
from qscore.data.sources import FileImages, Splits
from qscore.data.split import held_out_split
from qscore.errors import UserError, UserFileNotFoundError

TEST_FOLDERS = ("test", "val", "validation", "valid")


def image_folder(
    root: str | None,
    *,
    classes: list[str] | str | None = None,
    test_fraction: float = 0.25,
    split_seed: int = 0,
) -> Splits:
    """Returns the images under a folder in any of the usual layouts.

    - `root/train/CLASS/*.jpg` with `root/test` or `root/val` (ImageNet): as they stand;
    - `root/CLASS/*.jpg`: split at random, the same share of every class held out;
    - `root/*.jpg`: split at random, without labels.

    Args:
        root: The folder; subfolders of a class folder count to the class.
        classes: Class folders to keep, as a list or as a text file with one a line (ImageNet-100 is such a list).
        test_fraction: Share held out where the folder is not split already.
        split_seed: Seed of that split; it stays the same when the seed of the training changes.

    Raises:
        UserFileNotFoundError: If there is no such folder, or no image in it.
        UserError: If a class is asked for that has no folder.
    """
    folder = _existing_folder(root)
    kept = _class_list(classes)
    held_out = [folder / name for name in TEST_FOLDERS if (folder / name).is_dir()]
    if (folder / "train").is_dir() and held_out:
        train, test = _scan(folder / "train", kept), _scan(held_out[0], kept)
        if train.class_names != test.class_names:
            raise UserError(
                f"Expected the same class folders in {train.root} and {test.root}, got "
                f"{len(train.class_names)} and {len(test.class_names)}; differing: "
                f"{sorted(set(train.class_names) ^ set(test.class_names))[:5]}."
            )
        return Splits(train, train, test)
    return _split(_scan(folder, kept), test_fraction, split_seed)


def _existing_folder(root: str | None) -> Path:
    if root is None:
        raise UserError("Expected a folder of images; set it with data=FOLDER or data.source.root=FOLDER.")
    folder = Path(root)
    if not folder.is_dir():
        raise UserFileNotFoundError(f"Expected a folder of images, found none at {folder}.")
    return folder


def _class_list(classes: list[str] | str | None) -> list[str] | None:
    if not isinstance(classes, str):
        return None if classes is None else list(classes)
    if not Path(classes).is_file():
        raise UserFileNotFoundError(f"Expected a text file with one class folder a line, found none at {classes}.")
    try:
        return Path(classes).read_text(encoding="utf-8").split()
    except UnicodeDecodeError as error:
        raise UserError(f"Expected a text file in UTF-8, one class folder a line, got {classes}: {error}.") from error


def _scan(root: Path, kept: list[str] | None) -> FileImages:
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    missing = sorted(set(kept or ()) - set(folders))
    if missing:
        raise UserError(f"Expected a folder for each class in {root}; {len(missing)} are missing: {missing[:5]}.")
    names = [name for name in folders if kept is None or name in kept]
    by_class = {name: found for name in names if (found := _images_under(root / name))}
    if by_class:
        files = [file for found in by_class.values() for file in found]
        labels = [label for label, found in enumerate(by_class.values()) for _ in found]
        return FileImages(root, files, labels, tuple(by_class))
    files = _images_under(root)
    if not files:
        raise UserFileNotFoundError(
            f"Expected images ({', '.join(EXTENSIONS)}) in {root} or in one folder a class below it, found none."
        )
    return FileImages(root, files, None, ())


def _images_under(folder: Path) -> list[Path]:
    return sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(EXTENSIONS) and not name.startswith(".")
    )


def _split(source: FileImages, test_fraction: float, seed: int) -> Splits:
    labels = None if source.labels is None else source.labels.numpy()
    parts = held_out_split(len(source), labels=labels, test_fraction=test_fraction, seed=seed)
    train, test = (_subset(source, part) for part in parts)
    return Splits(train, train, test)


def _subset(source: FileImages, positions: np.ndarray) -> FileImages:
    labels = None if source.labels is None else source.labels[positions.tolist()].tolist()
    return FileImages(source.root, [source.files[i] for i in positions], labels, source.class_names)
