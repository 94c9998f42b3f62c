"""Representations on disk: one safetensors file, written row by row in any order, memory-mapped when it is read."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from qscore.errors import UserError
from qscore.files import parse_json, written_whole
from qscore.records import Representations

ALIGNMENT = 8
WriteRows = Callable[[Tensor, Tensor], None]


def save_representations(representations: Representations, path: Path) -> None:
    """Writes the representations as safetensors, whole or not at all."""
    with written_whole(path) as temporary, rows_written(representations, temporary) as write:
        write(torch.arange(len(representations.h)), representations.h)


def load_representations(path: Path) -> Representations:
    """Returns the representations in a file; their values stay in the file until they are used.

    Raises:
        UserError: If it is another file, or broken.
    """
    try:
        found = _read(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"Expected representations in {path}, got another kind of file, or a broken one: {error}. Delete it; they "
            "are computed again."
        ) from error
    num, labels = len(found.ids), found.labels
    fits = found.h.ndim == 2 and found.h.dtype == torch.float32 and len(found.h) == num
    if labels is not None:
        fits &= labels.dtype == torch.long and labels.shape == (num,)
        num_classes = len(found.class_names) or math.inf  # names are optional
        fits = fits and (num == 0 or 0 <= int(labels.min()) <= int(labels.max()) < num_classes)
    if not fits or not all(isinstance(text, str) for text in (*found.ids, *found.class_names)):
        raise UserError(
            f"Expected a row, an id and a class of each sample in {path}, got others; delete it: they are computed "
            "again."
        )
    return found


def _read(path: Path) -> Representations:
    with safe_open(path, framework="pt") as file:
        metadata, names = file.metadata(), set(file.keys())
        # Files of before shards have the ids in the header, which safetensors limits to 100 MB.
        ids = bytes(file.get_tensor("ids").numpy()).decode() if "ids" in names else metadata["ids"]
        return Representations(
            h=file.get_tensor("h"),
            labels=file.get_tensor("labels") if "labels" in names else None,
            ids=tuple(parse_json(ids)),
            class_names=tuple(parse_json(metadata["class_names"])),
            fingerprint=metadata["fingerprint"],
        )


@contextmanager
def rows_written(frame: Representations, path: Path) -> Iterator[WriteRows]:
    """Yields a function that writes rows of h, (row) and (row, feature), into a new safetensors file.

    safetensors itself can only write what is in memory. The format: https://github.com/huggingface/safetensors#format.

    Args:
        frame: Everything else; of its h the shape alone counts, which may be on torch's meta device.
        path: The file; it is whole once every row was written.
    """
    num_samples, num_features = frame.h.shape
    # h lies last but for the ids, at a multiple of 8 bytes: all that precedes it is int64.
    labels = b"" if frame.labels is None else frame.labels.long().numpy().tobytes()
    ids = json.dumps(frame.ids).encode()
    row_bytes = 4 * num_features
    ends = [len(labels), len(labels) + num_samples * row_bytes]
    header = {
        "__metadata__": {"class_names": json.dumps(frame.class_names), "fingerprint": frame.fingerprint},
        "h": {"dtype": "F32", "shape": [num_samples, num_features], "data_offsets": ends},
        "ids": {"dtype": "U8", "shape": [len(ids)], "data_offsets": [ends[1], ends[1] + len(ids)]},
    }
    if frame.labels is not None:
        header["labels"] = {"dtype": "I64", "shape": [num_samples], "data_offsets": [0, len(labels)]}
    described = json.dumps(header).encode()
    described += b" " * (-len(described) % ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(described).to_bytes(8, "little") + described + labels)
        start = file.tell()

        def write(rows: Tensor, h: Tensor) -> None:
            values = h.float().contiguous().numpy()
            breaks = ((rows.diff() != 1).nonzero().flatten() + 1).tolist()
            for first, last in pairwise([0, *breaks, len(rows)]):
                if first < last:
                    file.seek(start + int(rows[first]) * row_bytes)
                    file.write(values[first:last].data)

        yield write
        file.seek(start + num_samples * row_bytes)
        file.write(ids)
