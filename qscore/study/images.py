"""Images as they leave the server: the pixels, and nothing that tells where they come from.

Whatever made a study's folder, its files are cut here to what a browser needs: EXIF, XMP, comments, colour profiles,
dates and thumbnails do not pass.
"""

import struct
from functools import lru_cache
from pathlib import Path

from qscore.errors import UserError
from qscore.study.folder import Study

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_JPEG_DROPPED = {0xFE, *range(0xE1, 0xEE), 0xEF}  # comments and applications; not JFIF (E0) nor Adobe's colours (EE)
_JPEG_SCAN = 0xDA


def check_images(study: Study) -> None:
    """Reads every image of a study once.

    Raises:
        UserError: one is neither PNG nor JPEG, or is broken.
    """
    for key in sorted({key for trial in study.trials.values() for key in trial.images}):
        served_image(study.image(key))


@lru_cache(maxsize=1024)
def served_image(file: Path) -> tuple[bytes, str]:
    """Returns an image without metadata, and its media type."""
    return _read(file)


def _read(file: Path) -> tuple[bytes, str]:
    data = file.read_bytes()
    try:
        if data.startswith(_PNG):
            return _stripped_png(data), "image/png"
        if data.startswith(b"\xff\xd8"):
            return _stripped_jpeg(data), "image/jpeg"
    except (struct.error, IndexError) as error:
        raise UserError(f"{file.name} is cut off or broken. Make the study again.") from error
    raise UserError(f"Expected images as PNG or JPEG; {file.name} is neither. Make the study again.")


def _stripped_png(data: bytes) -> bytes:
    kept, position = [_PNG], len(_PNG)
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise IndexError("chunk beyond the end")
        if kind in _PNG_KEPT:
            kept.append(data[position:end])
        if kind == b"IEND":
            return b"".join(kept)
        position = end


def _stripped_jpeg(data: bytes) -> bytes:
    kept, position = [data[:2]], 2
    while True:
        start, marker, length = struct.unpack_from(">BBH", data, position)
        if start != 0xFF:
            raise IndexError("no marker where one is due")
        if marker == _JPEG_SCAN:
            end = data.rindex(b"\xff\xd9") + 2 if b"\xff\xd9" in data[position:] else len(data)
            return b"".join([*kept, data[position:end]])
        if marker not in _JPEG_DROPPED:
            kept.append(data[position : position + 2 + length])
        position += 2 + length
