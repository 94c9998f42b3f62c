"""Images of a study as files: small, plain, and under names that say nothing."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from qscore.errors import UserError

_LONGEST_SIDE_PX = 512
_NUM_NAMED = 5  # files in a message
_PNG_UP_TO_PX = 128  # above, a page of photographs would weigh megabytes


def write_plain_images(images: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Writes the image of each sample, and returns the name of its file.

    Raises:
        UserError: files are no images; a few of them are named.
    """
    from qscore.data.reading import UNREADABLE, read_rgb  # numpy, which only `new` needs

    folder.mkdir(parents=True)
    names: dict[str, str] = {}
    broken: list[Path] = []
    shown = tqdm(images.items(), desc="Writing images", unit="image", leave=False, delay=1, disable=None)
    for sample, file in shown:
        try:
            names[sample] = _write(read_rgb(file), folder)
        except UNREADABLE:
            broken.append(file)
    if broken:
        raise UserError(
            f"Expected files that are images; {len(broken)} of {len(images)} cannot be read: {_few(broken)}. Mend or "
            "replace them, or leave their ids out of the table of groups or of trials; no study was made."
        )
    return names


def _write(image: Image.Image, folder: Path) -> str:
    image.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
    plain = Image.frombytes("RGB", image.size, image.tobytes())  # nothing but pixels
    name = f"{secrets.token_hex(12)}.{'png' if max(plain.size) <= _PNG_UP_TO_PX else 'jpg'}"
    plain.save(folder / name, quality=90)
    return name


def _few(files: list[Path]) -> str:
    more = f" and {len(files) - _NUM_NAMED} more" if len(files) > _NUM_NAMED else ""
    return ", ".join(map(str, files[:_NUM_NAMED])) + more
