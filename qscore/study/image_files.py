"""Images of samples, as files."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from PIL import Image

from qscore.errors import UserError, UserFileNotFoundError

_SHOWN = 5


def find_images(folder: Path, samples: Iterable[str]) -> dict[str, Path]:
    """Returns the image of each sample, whose id is the path of a file below a folder, with extension or without.

    Raises:
        UserError: some have no image, or several that differ in their extension alone, or two have the same.
    """
    if not folder.is_dir():
        raise UserFileNotFoundError(f"Expected a folder of images; there is none at {folder}.")
    wanted = list(dict.fromkeys(samples))
    named = {sample: folder / sample for sample in wanted if _is_below(sample) and (folder / sample).is_file()}
    rest = [sample for sample in wanted if sample not in named]
    by_stem = _by_stem(folder) if rest else {}
    if missing := [sample for sample in rest if sample not in by_stem]:
        raise UserFileNotFoundError(
            f"Expected an image in {folder} for each of {len(wanted)} ids; {len(missing)} have none: {_few(missing)}. "
            "An id is the path of a file below that folder, with extension or without."
        )
    if several := [sample for sample in rest if len(by_stem[sample]) > 1]:
        raise UserError(
            f"Expected one image for each id; in {folder} there are several for {_few(several)}. "
            "Write the ids with their extension."
        )
    found = named | {sample: by_stem[sample][0] for sample in rest}
    first: dict[Path, str] = {}
    for sample in wanted:
        if (other := first.setdefault(found[sample], sample)) != sample:
            raise UserError(
                f"Expected an image of its own for each id; {other} and {sample} are both {found[sample]}. Keep one."
            )
    return found


def _is_below(sample: str) -> bool:
    parts = PurePosixPath(sample).parts
    return bool(parts) and ".." not in parts and not PurePosixPath(sample).is_absolute()


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    found = defaultdict[str, list[Path]](list)
    known = Image.registered_extensions()
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in known:
            found[file.relative_to(folder).with_suffix("").as_posix()].append(file)
    return found


def _few(samples: list[str]) -> str:
    more = f" and {len(samples) - _SHOWN} more" if len(samples) > _SHOWN else ""
    return ", ".join(samples[:_SHOWN]) + more
