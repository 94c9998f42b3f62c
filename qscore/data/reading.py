"""One image file into 8-bit RGB, whatever it was."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")

MAX_PIXELS = 1 << 26  # 8192 x 8192: with all its copies below 1 GB
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
    with Image.open(path) as image:
        image.load()
        return to_rgb(ImageOps.exif_transpose(image))


def to_rgb(image: Image.Image) -> Image.Image:
    """Returns grayscale, palette, RGBA, CMYK and 16-bit images as 8-bit RGB."""
    if image.mode.startswith("I"):  # 16-bit files open as "I;16" or, in some formats, as 32-bit "I"
        values = np.asarray(image).astype(np.int64)
        return Image.fromarray((values.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; convert them to 8 or 16 bits")
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
