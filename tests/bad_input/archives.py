"""Ways to spoil what lies inside of an archive: arrays of `.npz` files, the pickle of a checkpoint."""

import io
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from tests.bad_input.spoiling import BYTES, Spoil

SHAPES = ((), (0,), (3,), (10**12,), (2**62, 4), (-1,), (2, 2), (7, 0), (1, 1, 1, 1, 1))
TYPES = ("<f8", "<f2", ">i4", "<c16", "|b1", "<U3", "|S4", "|O", "<M8[s]", "[('a', '<i4')]", "<U100000000", "|V8", "x")


def members(data: bytes, chance: Random) -> bytes:
    """One member is spoilt, missing, twice there or under another name; the archive around it is whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return data[:-1]
    if not content:
        return data
    place = chance.randrange(len(content))
    name, inside = content[place]
    what = chance.randrange(8)
    if what == 0:
        content.pop(place)
    elif what == 1:
        content.append((chance.choice((name, "x.npy", "../" + name, "a/b", "é")), inside))
    else:
        spoil = chance.choice((*BYTES, array_head, array_head) if inside[:6] == b"\x93NUMPY" else BYTES)
        content[place] = (name, spoil(inside, chance))
    return packed(content, compress=chance.random() < 0.3)


def packed(content: list[tuple[str, bytes]], *, compress: bool = False) -> bytes:
    buffer = io.BytesIO()
    warnings.filterwarnings("ignore", "Duplicate name")
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, inside in content:
            archive.writestr(zipfile.ZipInfo(name), inside, kind)
    return buffer.getvalue()


def array_head(data: bytes, chance: Random) -> bytes:
    """An `.npy` file whose head says another shape or type than its values have."""
    head = {"descr": repr(chance.choice(TYPES)), "fortran_order": chance.choice(("False", "True", "None", "1"))}
    head["shape"] = repr(chance.choice(SHAPES))
    if chance.random() < 0.5:
        head["descr"] = repr(chance.choice(("<f4", "|u1", "<i8")))
    return with_head(data, ", ".join(f"'{name}': {value}" for name, value in head.items()))


def with_head(data: bytes, head: str) -> bytes:
    """The values of an `.npy` file under another head."""
    old = 10 + struct.unpack("<H", data[8:10])[0] if len(data) > 10 else len(data)
    return npy_head(head.replace("'[(", "[(").replace(")]'", ")]")) + data[old:]


def npy_head(fields: str) -> bytes:
    """The head of an `.npy` file, true or not."""
    text = ("{" + fields + ", }").encode("latin-1", "replace") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def zeros(shape: tuple[int, ...], dtype: str, *, num_mb: int) -> bytes:
    """A `.npy` file of that many megabytes of zeros, which deflate to a thousandth."""
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(num_mb << 20)


def bomb(like: dict[str, np.ndarray], name: str, num_mb: int = 3000) -> bytes:
    """An `.npz` whose array `name` unpacks to many times the memory that reading may take."""
    buffer = io.BytesIO()
    count = num_mb << 20
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, array in like.items():
            with archive.open(f"{other}.npy", "w", force_zip64=True) as member:
                if other != name:
                    np.lib.format.write_array(member, array)
                    continue
                member.write(zeros((count,), "|u1", num_mb=0))
                for _ in range(num_mb // 10):
                    member.write(bytes(10 << 20))
    return buffer.getvalue()


class _Runs:
    """Runs a function when it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def code(canary: Path, protocol: int = 2) -> bytes:
    """A pickle that makes a file when it is loaded."""
    return pickle.dumps({"state_dict": _Runs(open, str(canary), "w")}, protocol)


NPZ: tuple[Spoil, ...] = (*BYTES, *([members] * 10))
NPY: tuple[Spoil, ...] = (*BYTES, *([array_head] * 4))
