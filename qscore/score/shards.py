"""Representations on their way to disk: what an encoder has done so far survives the process that did it."""

import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from qscore.errors import UserError
from qscore.files import writing_told, written_whole
from qscore.records import Representations
from qscore.score.storage import rows_written

log = logging.getLogger(__name__)

MAX_ROWS, MAX_BYTES = 65_536, 2**27
MAX_AGE_S = 60.0  # what a killed process can lose
PATTERN = "rows-*.safetensors"
WHOLE = "whole.safetensors"


class Shards:
    """A folder of files, each with the representations of some positions; several processes may fill it together.

    Args:
        folder: Where they lie, for one fingerprint alone.
        fingerprint: Of encoder, data and transform together; files with another one are not seen.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = folder, fingerprint
        self._batches: list[tuple[Tensor, Tensor, Tensor]] = []
        self._opened = time.monotonic()

    def add(
        self, h: Float[Tensor, "sample feature"], positions: Int[Tensor, " sample"], readable: Bool[Tensor, " sample"]
    ) -> None:
        """Takes the representations of a batch, and writes a shard once there is enough for one."""
        if not self._batches:
            self._opened = time.monotonic()
        self._batches.append((h, positions, readable))
        num_rows = sum(len(batch[1]) for batch in self._batches)
        is_large = num_rows >= MAX_ROWS or num_rows * h.shape[1] * h.itemsize >= MAX_BYTES
        if is_large or time.monotonic() - self._opened >= MAX_AGE_S:
            self.flush()

    def flush(self) -> None:
        """Writes what was taken and is not on disk yet."""
        if not self._batches:
            return
        h, positions, readable = (torch.cat(part) for part in zip(*self._batches, strict=True))
        # A position is in one shard only, so the first one names it.
        with written_whole(self.folder / PATTERN.replace("*", f"{int(positions[0]):010d}")) as temporary:
            tensors = {"h": h, "positions": positions, "readable": readable}
            save_file(tensors, temporary, metadata={"fingerprint": self.fingerprint})
        self._batches = []

    def found(self) -> tuple[Int[Tensor, " position"], Bool[Tensor, " position"]]:
        """Returns the positions that are on disk, and whether the image of each could be read."""
        parts = [(file.get_tensor("positions"), file.get_tensor("readable")) for file in self._files()]
        nothing = torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.bool)
        positions, readable = (torch.cat(part) for part in zip(nothing, *parts, strict=True))
        return positions, readable

    def forget_unreadable(self) -> None:
        """Drops what is known of images that could not be read, so that they are tried again after an outage."""
        for path in sorted(self.folder.glob(PATTERN)):
            with safe_open(path, framework="pt") as file:
                readable, own = file.get_tensor("readable"), file.metadata()["fingerprint"] == self.fingerprint
                if not own or readable.all():
                    continue
                kept = [file.get_tensor(name)[readable] for name in ("h", "positions", "readable")]
            if len(kept[1]):
                self.add(*kept)
                self.flush()
            path.unlink()

    def check_any(self) -> None:
        """Looks whether there is anything to merge.

        Raises:
            UserError: If no image could be read.
        """
        _, readable = self.found()
        if not readable.any():
            raise UserError("Expected images to extract representations from, got none that could be read.")
        if not readable.all():
            log.warning("%d unreadable images have no representation.", int((~readable).sum()))

    def merge(
        self, path: Path, *, labels: Int[Tensor, " sample"] | None, ids: tuple[str, ...], class_names: tuple[str, ...]
    ) -> None:
        """Writes the rows of all shards into one file, in the order of the data set, and removes the shards.

        One shard is in memory at a time; unreadable images have no row.

        Args:
            path: The file, whole or not there.
            labels: Class of every image of the data set, by position.
            ids: Path or number of every image, by position.
            class_names: Name of each class.
        """
        positions, readable = self.found()
        kept = positions[readable].sort().values
        num_features = max(file.get_slice("h").get_shape()[1] for file in self._files())
        frame = Representations(
            h=torch.empty(len(kept), num_features, device="meta"),
            labels=None if labels is None else labels[kept],
            ids=tuple(ids[position] for position in kept.tolist()),
            class_names=class_names,
            fingerprint=self.fingerprint,
        )
        with writing_told(path), rows_written(frame, self.folder / WHOLE) as write:
            for file in self._files():
                here = file.get_tensor("positions")
                order = here.argsort()
                order = order[file.get_tensor("readable")[order]]
                write(torch.searchsorted(kept, here[order]), file.get_tensor("h")[order])
        (self.folder / WHOLE).replace(path)
        shutil.rmtree(self.folder)

    def _files(self) -> Iterator[Any]:
        for path in sorted(self.folder.glob(PATTERN)):
            with safe_open(path, framework="pt") as file:
                if file.metadata()["fingerprint"] == self.fingerprint:
                    yield file
