"""A blow at the n-th change of a file that a process makes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.processes import Child

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.move", "shutil.rmtree", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def disturbed(command: list[str], home: Path, log: Path, number: int = 0, signum: int = 0) -> Child:
    """Returns a command that is to be struck at its n-th change of a file under `home`; 0 only counts them.

    It leaves something on disk more often than it would by itself.
    """
    return Child(command, log, around=partial(blow, home, number, signum, _counted(log)))


def num_changes(child: Child) -> int:
    """Returns how many changes a process made that came to its end."""
    return int(_counted(child.log).read_text())


@contextmanager
def blow(home: Path, number: int, signum: int, counted: Path) -> Iterator[None]:
    """Inside of the process: counts the changes into a file, and strikes."""
    _often_on_disk()
    aim = Aim(home, number, signum)
    try:
        yield
    finally:
        counted.write_text(str(aim.count))


class Aim:
    """Counts the changes of files under a folder, by Python's audit events, and strikes at the n-th, before it is done.

    Args:
        home: The folder.
        number: Of the change to strike at, from 1; 0 only counts.
        signum: What to strike with.
    """

    def __init__(self, home: Path, number: int, signum: int) -> None:
        self.home, self.number, self.signum, self.count, self.process = str(home), number, signum, 0, os.getpid()
        sys.addaudithook(self._see)

    def _see(self, event: str, details: tuple[object, ...]) -> None:
        is_change = event in CHANGES or (event == "open" and isinstance(details[2], int) and details[2] & WRITING)
        if not is_change or os.getpid() != self.process or not str(details[0]).startswith(self.home):
            return
        self.count += 1
        if self.count == self.number:
            os.kill(self.process, self.signum)


def _often_on_disk() -> None:
    """Has an extraction leave something every few images, as a long one does every minute."""
    from qscore.score import shards

    shards.MAX_ROWS = 64


def _counted(log: Path) -> Path:
    return log.with_suffix(".changes")
