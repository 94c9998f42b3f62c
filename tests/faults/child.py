"""What happens inside a process that is to be disturbed: one command, and a blow at its n-th change of a file."""

import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import REPOSITORY

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.move", "shutil.rmtree", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


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


def run(command: list[str], home: Path, log: Path, environment: dict[str, str], number: int, signum: int) -> None:
    """Runs a script of the repository, or a module after "-m", as its own session; what it says goes to `log`.

    The number of changes that it made is left in `log` with the suffix `.changes`.
    """
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # of its workers, as in a process that was started by hand
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    _often_on_disk()
    aim = Aim(home, number, signum)
    try:
        with _ends_like_a_script():
            if command[0] == "-m":
                sys.argv = command[1:]
                runpy.run_module(command[1], run_name="__main__", alter_sys=True)
            else:
                sys.argv = command
                runpy.run_path(str(REPOSITORY / f"{command[0]}.py"), run_name="__main__")
    finally:
        log.with_suffix(".changes").write_text(str(aim.count))


def _often_on_disk() -> None:
    """Has an extraction leave something on disk every few images, as a long one does every minute."""
    from qscore.score import shards

    shards.MAX_ROWS = 64


@contextlib.contextmanager
def _ends_like_a_script() -> Iterator[None]:
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
