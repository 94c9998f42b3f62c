"""Arrays in `.npy` and `.npz` files, of which nothing is believed: no code runs, no head gets more than is there."""

import zipfile
import zlib
from collections.abc import Callable, Collection
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from qscore.errors import UserError

UNPACKED_BYTES = 1 << 28  # of an archive; with the copies that its readers make below 1 GB
MAX_RATIO = 20  # beyond, of unpacked bytes to those of the file: images and tables deflate to a third or a tenth
SUFFIX = ".npy"
# What numpy and zipfile raise for files that are cut off, spoilt, encrypted, or made to be unreadable.
UNREADABLE = (
    *(ValueError, OSError, EOFError, KeyError, TypeError, SyntaxError, RuntimeError, RecursionError, TokenError),
    *(MemoryError, OverflowError, zipfile.BadZipFile, zlib.error),
)
READ_HEAD: dict[Any, Callable[..., Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Returns arrays of an `.npz` file by their names, read to their ends.

    Args:
        path: The file.
        names: Which of them, where they are there; all by default.

    Raises:
        UserError: If it is another file, holds Python objects, an array comes twice or is not as long as it says, or
            it unpacks to more than 256 MB and 20 times its own size.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            if file.seek(0) or file.read(2) != b"PK":  # numpy reads what comes first, zipfile what comes last
                raise ValueError("it does not begin as an archive")
            members = [info for info in archive.infolist() if names is None or _name(info) in names]
            _check_members(members, path)
            return {_name(info): _array(archive, info) for info in members}
    except UserError:
        raise
    except UNREADABLE as error:
        raise UserError(
            f"Expected an .npz file of plain arrays, got {path}: {error or repr(error)}. Arrays of Python objects run "
            "code when read: save texts and numbers, by numpy.savez."
        ) from error


def read_array(path: Path) -> np.ndarray:
    """Returns the array of an `.npy` file.

    Raises:
        UserError: If it is another file, holds Python objects, or is not as long as it says.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except UNREADABLE as error:
        raise UserError(f"Expected an .npy file of a plain array, got {path}: {error or repr(error)}.") from error


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(SUFFIX)


def _check_members(members: list[zipfile.ZipInfo], path: Path) -> None:
    names = [_name(info) for info in members]
    if len(set(names)) < len(names):
        raise ValueError(f"an array '{next(name for name in names if names.count(name) > 1)}' comes twice")
    unpacked, packed = sum(info.file_size for info in members), path.stat().st_size
    if unpacked > max(UNPACKED_BYTES, MAX_RATIO * packed):
        raise UserError(
            f"Expected arrays of at most {UNPACKED_BYTES >> 20} MB, or {MAX_RATIO} times their file, in {path}, got "
            f"{unpacked >> 20} MB in {packed} bytes; if they are meant, write them by numpy.savez, uncompressed."
        )


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        return _read(member, info.file_size)


def _read(file: Any, num_bytes: int) -> np.ndarray:
    """The array of a file of that many bytes, head and all; numpy would ask for memory for what the head says."""
    version = np.lib.format.read_magic(file)
    if version not in READ_HEAD:
        raise ValueError(f"its format {version} is none of {', '.join(map(str, READ_HEAD))}")
    shape, is_fortran, dtype = READ_HEAD[version](file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    expected = prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or expected != num_bytes - file.tell():
        raise ValueError(f"it says {shape} of {str(dtype)[:40]}, and has {num_bytes - file.tell()} bytes")
    data = file.read(expected)
    if len(data) != expected or file.read(1):
        raise EOFError("it is cut off")
    array = np.frombuffer(bytearray(data), dtype)
    return array.reshape(shape, order="F" if is_fortran else "C")
