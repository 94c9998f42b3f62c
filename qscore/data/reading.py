"""One image file into 8-bit RGB, whatever it was."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # not PostScript, which another program would run
MAX_PIXELS = 89_478_485  # from where Pillow warns of bombs; with its copy below 1 GB
MAX_SIDE_PX = 1 << 17  # Pillow's time grows with the square of a row's length
STRIP_PIXELS = 1 << 22

# What Pillow's decoders raise on files that are truncated, mislabelled or too large to be honest.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def read_rgb(path: Path) -> Image.Image:
    """Returns the image as 8-bit RGB, upright, on white where it is transparent.

    16-bit grayscale keeps its high byte (Pillow's own conversion would clip it to white).

    Raises:
        Any of `UNREADABLE`: If the file cannot be decoded to its end.
    """
    with opened(path) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return to_rgb(image)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Yields the image of a file of which nothing but its head was read.

    Raises:
        Any of `UNREADABLE`: If it is none, has more than `MAX_PIXELS`, or is longer than `MAX_SIDE_PX`.
    """
    # Of a file Pillow would ask for as many bytes as a head says that it has, up to 4 GB.
    with Image.open(io.BytesIO(path.read_bytes()), formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE_PX:
            raise ValueError(
                f"{image.width} x {image.height} pixels are more than {MAX_PIXELS}, or than {MAX_SIDE_PX} on a side; "
                "make it smaller first"
            )
        yield image


def to_rgb(image: Image.Image) -> Image.Image:
    """Returns grayscale, palette, RGBA, CMYK and 16-bit images as 8-bit RGB."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; convert them to 8 or 16 bits")
    rows = max(1, STRIP_PIXELS // max(1, image.width))
    if rows >= image.height:
        return _strip_to_rgb(image)
    whole = Image.new("RGB", image.size)
    for top in range(0, image.height, rows):  # each step of the way would hold a copy of all the pixels
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        whole.paste(_strip_to_rgb(strip), (0, top))
    return whole


def _strip_to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit files open as "I;16" or, in some formats, as 32-bit "I"
        values = np.asarray(image).astype(np.int64)
        return Image.fromarray((values.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
