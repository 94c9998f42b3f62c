"""Mistakes that the user can mend: shown as one message, without a traceback, with exit status 2."""

import difflib
import errno
import os
import re
from collections.abc import Iterable
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)


class UserError(ValueError):
    """What was expected, what came, and what to do about it."""


class UserFileNotFoundError(UserError, FileNotFoundError):
    """A file or folder that the user named is not there."""


class CannotWriteError(UserError, OSError):
    """A disk is full, or a folder may not be written to."""


def cannot_write(error: BaseException, path: Path) -> CannotWriteError | None:
    """Returns what to tell of an error while `path` was written; None where the disk is not to blame.

    >>> print(cannot_write(OSError(errno.ENOSPC, "No space left on device"), Path("runs/a/last.ckpt")))
    Expected room on the disk of runs/a to write last.ckpt, got: No space left on device. Make room, then run the same \
command again; a training goes on with resume=RUN_DIR.
    """
    number = error.errno if isinstance(error, OSError) else _number_said(error)
    again = "then run the same command again; a training goes on with resume=RUN_DIR."
    reason = "" if number is None else os.strerror(number)
    if number in FULL:
        return CannotWriteError(
            f"Expected room on the disk of {path.parent} to write {path.name}, got: {reason}. Make room, {again}"
        )
    if number in CLOSED:
        return CannotWriteError(
            f"Expected a folder to write {path.name} in, got: {path.parent}: {reason}. Choose another folder, or "
            f"allow writing there, {again}"
        )
    if number == errno.EIO:
        return CannotWriteError(f"Expected to write {path}, got: {reason}. Look after the disk, {again}")
    return None


def _number_said(error: BaseException) -> int | None:
    """The number of an error of the operating system that was raised by another language."""
    said = re.search(r"\(os error (\d+)\)", str(error))
    return int(said[1]) if said else None


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Returns the error for a name outside a closed list, with the nearest known one in front."""
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return UserError(f"Unknown {kind} '{name}'.{hint} Known: {', '.join(names)}.")
