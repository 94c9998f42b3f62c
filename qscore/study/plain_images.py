"""Images of a study as files: small, plain, and under names that say nothing."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from qscore.errors import UserError

_LONGEST_SIDE_PX = 512
_PNG_UP_TO_PX = 128  # above, a page of photographs would weigh megabytes


def write_plain_images(images: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Writes the image of each sample, and returns the name of its file.

    Raises:
        UserError: a file is no image.
    """
    folder.mkdir(parents=True)
    shown = tqdm(images.items(), desc="Writing images", unit="image", leave=False, delay=1, disable=None)
    return {sample: _write(sample, file, folder) for sample, file in shown}


def _write(sample: str, file: Path, folder: Path) -> str:
    from qscore.data.reading import UNREADABLE, read_rgb  # numpy, which only `new` needs

    try:
        image = read_rgb(file)
    except UNREADABLE as error:
        raise UserError(f"Expected an image of {sample}; {file} cannot be read as one: {error}.") from error
    image.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
    plain = Image.frombytes("RGB", image.size, image.tobytes())  # nothing but pixels
    name = f"{secrets.token_hex(12)}.{'png' if max(plain.size) <= _PNG_UP_TO_PX else 'jpg'}"
    plain.save(folder / name, quality=90)
    return name
