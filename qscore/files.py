"""Files that are either whole or absent: written under a temporary name, then renamed."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from qscore.errors import CannotWriteError, UserError, cannot_write

WEIGHTS = "encoder.safetensors"  # of an encoder in a run directory, beside its settings
SETTINGS = "encoder.json"
UNFINISHED = ".unfinished-"  # begins the name of a file that is being written, or was when its process was killed


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, which takes its place, on the disk, only when the block succeeds.

    Raises:
        CannotWriteError: If the disk is full, or the folder may not be written to.
    """
    with writing_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{UNFINISHED}{path.stem}-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            _onto_disk(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing_told(path: Path) -> Iterator[None]:
    """Has a disk that refuses to take `path` told as such: which one, and what to do.

    Raises:
        CannotWriteError: If the disk is full, or the folder may not be written to.
    """
    try:
        yield
    except CannotWriteError:
        raise
    except (OSError, SafetensorError) as error:
        if (told := cannot_write(error, path)) is None:
            raise
        raise told from error


def whole_files(folder: Path, pattern: str) -> list[Path]:
    """Returns the files of a pattern in a folder, by name, without those whose process was killed while it wrote."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith(UNFINISHED))


def forget_unfinished(folder: Path) -> None:
    """Removes, everywhere under a folder in which nobody writes now, what killed processes had begun to write."""
    for path in folder.rglob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes `text` to `path`, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Writes `content` as indented JSON; NaN and infinity are refused, since JSON has no word for them."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def parse_json(text: str) -> Any:
    """Returns the content of a JSON text; no name comes twice in an object, of which most readers keep the last.

    Raises:
        ValueError: If it is no such text, or has more brackets inside one another than a parser can follow.

    >>> parse_json('{"a": [1, null]}')
    {'a': [1, None]}
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("its brackets are nested too deeply") from None


def parse_object(text: str, where: str) -> dict[str, Any]:
    """Returns the JSON object that a text is; `where` it stands is for the message.

    Raises:
        UserError: If it is something else.
    """
    try:
        found = parse_json(text)
    except ValueError as error:
        raise UserError(f"Expected JSON in {where}, got {text[:40]!r}: {error}.") from error
    if not isinstance(found, dict):
        raise UserError(f"Expected an object in {where}, got {text[:40]!r}; write {{...}}.")
    return found


def read_json(path: Path) -> Any:
    """Returns the content of a JSON file.

    Raises:
        UserError: If there is something else in it.
    """
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"Expected JSON in {path}, got something else: {error}. Write or copy it again.") from error


def read_object(path: Path) -> dict[str, Any]:
    """Returns the content of a JSON file that holds an object.

    Raises:
        UserError: If there is something else in it.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"Expected an object, {{...}}, in {path}, got {str(content)[:40]}. Write or copy it again.")
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(name for name in names if names.count(name) > 1)[:40]!r} comes twice")
    return found


def fingerprint(*parts: bytes | str) -> str:
    """Returns the first 16 hexadecimal digits of the SHA-256 of the parts, each with its length in front."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:16]


def _onto_disk(path: Path) -> None:
    """Waits for the disk: after a power cut a renamed file could else be there, and empty."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
