"""Where images come from: a folder, an array, a known set. Each gives RGB images by position."""

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from PIL import Image
from torch import Tensor

from qscore.data.reading import UNREADABLE, read_rgb
from qscore.errors import UserError
from qscore.files import fingerprint

log = logging.getLogger(__name__)

MAX_UNREADABLE_SHARE = 0.01
LISTED_PATHS = 20
MAX_SUBSTITUTES = 10
BLACK_SIZE_PX = 64


class ImageSource(ABC):
    """Images by position, with their labels where there are any.

    Attributes:
        labels: Class of each image, or None.
        class_names: Name of each class; empty without labels.
        ids: Path or number of each image.
        fingerprint: Changes when the images or their labels do.
    """

    labels: Int[Tensor, " sample"] | None
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    fingerprint: str

    @abstractmethod
    def image(self, position: int) -> Image.Image | None:
        """Returns the RGB image at a position, or None where it cannot be decoded."""

    @abstractmethod
    def check_readable(self) -> None:
        """Reports newly found unreadable images; raises `UserError` once they are more than 1 %."""

    def __len__(self) -> int:
        return len(self.ids)


def readable_image(source: ImageSource, position: int) -> Image.Image:
    """Returns the image at a position; the next readable one in place of an unreadable one, which the source remembers.

    Nothing is raised here, in a worker: `check_readable` stops the run from the main process, with the list.
    """
    for offset in range(min(MAX_SUBSTITUTES, len(source))):
        image = source.image((position + offset) % len(source))
        if image is not None:
            return image
    return Image.new("RGB", (BLACK_SIZE_PX, BLACK_SIZE_PX))


class Splits(NamedTuple):
    """The images to learn from without labels, to fit the probe on, and to measure on."""

    pretrain: ImageSource
    train: ImageSource
    test: ImageSource


@dataclass
class ArrayImages(ImageSource):
    """Images held in memory as uint8, (sample, height, width) or (sample, height, width, 3)."""

    images: np.ndarray
    labels: Int[Tensor, " sample"] | None
    class_names: tuple[str, ...]
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.ndim == 4 and self.images.shape[-1] == 1:
            self.images = self.images[..., 0]
        has_color = self.images.ndim == 4 and self.images.shape[-1] == 3
        if self.images.dtype != np.uint8 or not (self.images.ndim == 3 or has_color):
            raise UserError(
                "Expected uint8 images of shape (sample, height, width) or (sample, height, width, 3), "
                f"got {self.images.dtype} of shape {self.images.shape}."
            )
        labels = b"" if self.labels is None else self.labels.numpy().tobytes()
        self.fingerprint = fingerprint(str(self.images.shape), np.ascontiguousarray(self.images).tobytes(), labels)

    def image(self, position: int) -> Image.Image:
        return Image.fromarray(self.images[position]).convert("RGB")

    def check_readable(self) -> None:
        """Arrays are always readable."""

    def subset(self, positions: np.ndarray) -> "ArrayImages":
        """Returns the images at some positions, under the ids they have here."""
        return ArrayImages(
            self.images[positions],
            None if self.labels is None else self.labels[torch.from_numpy(positions)],
            self.class_names,
            tuple(self.ids[i] for i in positions),
        )


class FileImages(ImageSource):
    """Image files under a root. Unreadable ones are remembered, across the worker processes of a loader."""

    def __init__(self, root: Path, files: list[Path], labels: list[int] | None, class_names: tuple[str, ...]) -> None:
        self.root, self.files, self.class_names = root, files, class_names
        self.labels = None if labels is None else torch.tensor(labels)
        self.ids = tuple(str(file.relative_to(root)) for file in files)
        stats = [file.stat() for file in files]
        facts = [f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in zip(self.ids, stats, strict=True)]
        self.fingerprint = fingerprint("\n".join(facts), str(labels))
        self._num_reported = 0
        self.unreadable = torch.zeros(len(files), dtype=torch.bool)
        self.unreadable.share_memory_()  # type: ignore[no-untyped-call]

    def image(self, position: int) -> Image.Image | None:
        try:
            return read_rgb(self.files[position])
        except UNREADABLE:
            self.unreadable[position] = True
            return None

    def check_readable(self) -> None:
        num_unreadable = int(self.unreadable.sum())
        if num_unreadable > self._num_reported:
            self._num_reported = num_unreadable
            log.warning("%s", self.report_unreadable())
        if num_unreadable > MAX_UNREADABLE_SHARE * len(self):
            raise UserError(
                f"{self.report_unreadable()}\nMore than {MAX_UNREADABLE_SHARE:.0%} of the images cannot be read: "
                "repair or remove them, then start again."
            )

    def report_unreadable(self) -> str:
        """Returns the number of unreadable files seen so far, and the paths of the first of them."""
        positions = self.unreadable.nonzero().flatten().tolist()
        listed = "\n".join(f"  {self.files[i]}" for i in positions[:LISTED_PATHS])
        rest = f"\n  and {len(positions) - LISTED_PATHS} more" if len(positions) > LISTED_PATHS else ""
        return f"{len(positions)} of {len(self)} images under {self.root} cannot be read:\n{listed}{rest}"
