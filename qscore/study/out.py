"""Whether a folder can be written, looked at before anything long is done."""

import tempfile
from pathlib import Path

from qscore.errors import UserError


def check_free(folder: Path) -> None:
    """Looks whether a study can be made there.

    Raises:
        UserError: there is something already, or it cannot be written.
    """
    check_writable(folder)
    check_writable(folder.absolute().parent)  # where it is made before it takes its place
    if (folder / "study.json").exists():
        raise UserError(f"Expected no study in {folder}, which holds one. Choose another folder.")
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"Expected a new or empty folder for the study; {folder} is in use. Choose another folder.")
    if folder.resolve() == Path.cwd():  # which a new folder cannot replace under the feet of the shell
        raise UserError(
            "Expected a new folder for the study, got the one that you are in. Name one inside: --out STUDY."
        )


def check_writable(folder: Path) -> None:
    """Looks whether a folder is there or can be made.

    Raises:
        UserError: it or one above it is a file, or nothing may be written there.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"Expected a folder to write to; {folder} is in use by a file. Choose another folder.")
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise UserError(f"Expected a folder that can be written; {folder} cannot: {error}. Choose another.") from error
