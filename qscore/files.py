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

from qscore.errors import CannotWriteError, cannot_write

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


def read_json(path: Path) -> Any:
    """Returns the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


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
