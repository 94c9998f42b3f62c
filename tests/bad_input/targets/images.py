"""Image files, of the formats that a folder may hold."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from qscore.data.reading import MAX_PIXELS, UNREADABLE, read_rgb
from qscore.interpretability.forced_choice.answers.card_images import square
from tests.bad_input.spoiling import BYTES
from tests.bad_input.trying import Files, Target

RAMP = np.arange(48 * 32 * 3, dtype=np.uint8).reshape(32, 48, 3)
EXIF = Image.Exif()
EXIF[0x0112] = 6


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    """A PNG that says a size, with the rows that are given."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def zero_rows(width: int, height: int, channels: int) -> bytes:
    return bytes((1 + width * channels) * height)


def files() -> dict[str, bytes]:
    colour, grey = Image.fromarray(RAMP), Image.fromarray(RAMP[..., 0])
    deep = Image.fromarray(RAMP[..., 0].astype(np.uint16) * 257)
    frames = {"save_all": True, "append_images": [colour.rotate(9), colour.rotate(90)]}
    return {
        "colour.png": written(colour, "png"),
        "alpha.png": written(colour.convert("RGBA"), "png"),
        "palette.png": written(colour.quantize(9), "png", transparency=1),
        "deep.png": written(deep, "png"),
        "colour.jpg": written(colour, "jpeg", exif=EXIF),
        "cmyk.jpg": written(colour.convert("CMYK"), "jpeg"),
        "turning.jpg": written(grey, "jpeg", progressive=True),
        "frames.gif": written(colour, "gif", **frames),
        "frames.webp": written(colour, "webp", **frames),
        "frames.png": written(colour, "png", **frames),
        "deep.tif": written(deep, "tiff"),
        "packed.tif": written(colour, "tiff", compression="tiff_lzw"),
        "float.tif": written(Image.fromarray(RAMP[..., 0].astype(np.float32)), "tiff"),
        "map.bmp": written(colour, "bmp"),
        "map.ppm": written(colour, "ppm"),
        "map.pgm": b"P2 3 2 255\n1 2 3 4 5 6\n",
        "bits.pbm.png": written(colour.convert("1"), "png"),
        "wrong.gif": written(colour, "jpeg"),
    }


def one(name: str) -> Target:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(files()[name])

    def read(folder: Path) -> Image.Image:
        square(folder / name, 16)
        return read_rgb(folder / name)

    def holds(folder: Path, found: Any) -> None:
        with Image.open(folder / name) as image:
            size, turned = image.size, image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        assert found.mode == "RGB"
        assert found.size == (size[::-1] if turned else size)
        assert found.width * found.height <= MAX_PIXELS
        np.asarray(found)

    return Target(f"image, {name}", write, read, {name: BYTES}, hostile(name), holds, UNREADABLE)


def hostile(name: str) -> dict[str, Any]:
    if name != "colour.png":
        return {}
    kinds = {"colour": (2, 8, 3), "alpha": (6, 8, 4), "grey": (0, 16, 2), "deep colour": (2, 16, 6)}

    def large(kind: str, width: int, height: int, *, is_whole: bool) -> Files:
        colour, depth, size = kinds[kind]
        rows = zero_rows(width, height, size) if is_whole else b""
        return {name: png(width, height, depth=depth, colour=colour, rows=rows)}

    side = int(MAX_PIXELS**0.5)
    return {
        "1x1": lambda: {name: png(1, 1, rows=bytes(4))},
        "100000x1": lambda: {name: png(100_000, 1, rows=zero_rows(100_000, 1, 3))},
        "1x100000": lambda: {name: png(1, 100_000, rows=zero_rows(1, 100_000, 3))},
        "says 2^31 x 2^31": lambda: {name: png(2**31 - 1, 2**31 - 1)},
        "says 0x0": lambda: {name: png(0, 0)},
        "says too much": lambda: large("colour", side + 1, side + 1, is_whole=True),
        **{
            f"largest, {kind}": lambda kind=kind: large(kind, side, side, is_whole=True)  # type: ignore[misc]
            for kind in kinds
        },
        "text": lambda: {name: b"no image"},
        "SVG": lambda: {name: b"<svg xmlns='http://www.w3.org/2000/svg'/>"},
        "PostScript": lambda: {name: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n"},
    }


TARGETS = [one(name) for name in files()]
