"""Images of a study as files: small, plain, and under names that say nothing."""

import io
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from qscore.errors import UserError
from qscore.files import writing_told

_LONGEST_SIDE_PX = 512
_NUM_NAMED = 5  # files in a message
_PNG_UP_TO_PX = 128  # above, a page of photographs would weigh megabytes


def write_plain_images(images: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Writes the image of each sample, and returns the name of its file.

    Raises:
        UserError: files are no images; a few of them are named, and what is wrong with the first.
        CannotWriteError: the disk is full, or nothing may be written there.
    """
    from qscore.data.reading import UNREADABLE, read_rgb  # numpy, which only `new` needs

    folder.mkdir(parents=True)
    names: dict[str, str] = {}
    broken: list[Path] = []
    first = ""
    shown = tqdm(images.items(), desc="Writing images", unit="image", leave=False, delay=1, disable=None)
    for sample, file in shown:
        try:
            image = read_rgb(file)
        except UNREADABLE as error:
            broken.append(file)
            first = first or _why(error)
            continue
        names[sample] = _write(image, folder)
    if broken:
        raise UserError(
            f"Expected files that are images; {len(broken)} of {len(images)} cannot be read: {_few(broken)} (the "
            f"first: {first}). Mend or replace them, or leave their ids out of the table of groups or of trials; no "
            "study was made."
        )
    return names


def _write(image: Image.Image, folder: Path) -> str:
    image.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
    plain = Image.frombytes("RGB", image.size, image.tobytes())  # nothing but pixels
    suffix, kind = ("png", "PNG") if max(plain.size) <= _PNG_UP_TO_PX else ("jpg", "JPEG")
    return write_image(plain, folder, suffix, format=kind, quality=90)


def write_image(image: Image.Image, folder: Path, suffix: str, **options: Any) -> str:
    """Writes an image under a name that says nothing, which is returned.

    Raises:
        CannotWriteError: the disk is full, or nothing may be written there.
    """
    content = io.BytesIO()  # into a file, Pillow would not notice that its last piece was cut short
    image.save(content, **options)
    name = f"{secrets.token_hex(12)}.{suffix}"
    with writing_told(folder / name):
        (folder / name).write_bytes(content.getvalue())
    return name


def _few(files: list[Path]) -> str:
    more = f" and {len(files) - _NUM_NAMED} more" if len(files) > _NUM_NAMED else ""
    return ", ".join(map(str, files[:_NUM_NAMED])) + more


def _why(error: Exception) -> str:
    known = isinstance(error, UnidentifiedImageError)  # which says the address of a buffer
    return "no image of a known format" if known else str(error) or repr(error)
