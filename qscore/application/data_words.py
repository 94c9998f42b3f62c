"""What a word on the command line says of data: the name of a choice, or where images of the user's own lie."""

import itertools
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from qscore.errors import UserError, unknown_name

CONFIG_DIR = ("--config-dir", "-cd")
QUOTES = "'\""
TRANSFER, REVERSE_TRANSFER = "evaluation.transfer.datasets", "evaluation.reverse_transfer.datasets"


def data_names(arguments: Sequence[str], conf: Path) -> list[str]:
    """Returns the names that `data=` can have: of our configurations, and of those that Hydra's options add.

    Args:
        arguments: Of the command.
        conf: Our configurations.

    Returns:
        None at all where Hydra alone knows where to look.
    """
    if any("hydra.searchpath" in argument for argument in arguments):
        return []
    pairs = [argument.partition("=")[::2] for argument in arguments]
    own = [
        value or following
        for (name, value), following in zip(pairs, [*arguments[1:], ""], strict=True)
        if name in CONFIG_DIR
    ]
    return [file.stem for folder in (conf, *map(Path, own)) for file in folder.glob("data/*.yaml")]


def data_override(value: str, known_data: Collection[str], *, group: str = "data", at: str = "data") -> list[str]:
    """Returns the overrides for `data=FOLDER` or `data=FILE.npz`; none where the value is no path.

    Args:
        value: As written by the user, without quotes.
        known_data: See `data_names`; a folder of such a name needs a `./` in front.
        group: Of configuration, with its package where that is not "data".
        at: Where the chosen configuration stands.

    Raises:
        UserError: If the value is a single word that is neither a name nor a folder.
    """
    if value in known_data:
        return []
    if not _looks_like_path(value):
        if known_data and value != "null" and re.fullmatch(r"\w[\w.-]*", value):
            raise UserError(f"{unknown_name('data set', value, known_data)} Nor is there a folder {value} here.")
        return []
    kind, key = ("npz", "path") if value.endswith(".npz") else ("folder", "root")
    return [f"{group}={kind}", f"{at}.source.{key}={quoted(str(Path(value).expanduser().absolute()))}"]


def transfer_overrides(value: str, known_data: Collection[str], key: str = TRANSFER) -> list[str]:
    """Returns the overrides for `evaluation.transfer.datasets=[cifar10,FOLDER]`: one choice of data for each name.

    A run then remembers each data set with all its options, wherever it is resumed from.

    Args:
        value: A list in brackets, or a single name.
        known_data: Names in `conf/data`.
        key: What is set to them.

    Raises:
        UserError: If a name is neither a choice nor a path.

    >>> transfer_overrides("[cifar10,stl10]", ["cifar10", "stl10"])
    ['+data@evaluation.transfer.datasets.cifar10=cifar10', '+data@evaluation.transfer.datasets.stl10=stl10']
    """
    overrides: list[str] = []
    taken: set[str] = set()
    for chosen in words(value):
        name = _free_name(chosen, taken)
        taken.add(name)
        group = f"+data@{key}.{name}"
        if own := data_override(chosen, known_data, group=group, at=f"{key}.{name}"):
            overrides += own
        elif chosen in known_data:
            overrides.append(f"{group}={chosen}")
        else:
            raise UserError(f"{unknown_name('data set', chosen, known_data)} Or name a folder or an .npz file.")
    return overrides


def is_there(path: Path) -> bool:
    """Returns whether something lies at a path; nothing can under a name that no file system takes."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def quoted(value: str) -> str:
    """Returns a value in quotes, outside which Hydra gives spaces, commas, braces and equal signs a meaning."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def words(value: str) -> list[str]:
    """Returns what stands between the commas of a list in brackets, without quotes."""
    found = re.findall(r"'[^']*'|\"[^\"]*\"|[^,\[\]'\"]+", value)
    return [word for word in (part.strip().strip(QUOTES) for part in found) if word]


def _looks_like_path(value: str) -> bool:
    if value.endswith(".npz") or "/" in value or value.startswith((".", "~")):
        return True
    return is_there(Path(value)) and Path(value).is_dir()


def _free_name(chosen: str, taken: Collection[str]) -> str:
    """A name for results and configuration, in letters, digits and underscores; numbered where two would be alike."""
    stem = re.sub(r"\W+", "_", Path(chosen).stem, flags=re.ASCII).strip("_") or "images"
    name = stem if stem[0].isalpha() else f"images_{stem}"
    names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    return next(free for free in names if free not in taken)
