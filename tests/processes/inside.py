"""What happens inside a forked process: it becomes what a process that was started by hand is, and runs one command."""

import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tests.conftest import REPOSITORY


def run(
    command: list[str],
    log: Path,
    errors: Path,
    environment: dict[str, str],
    folder: Path,
    around: Callable[[], AbstractContextManager[object]],
) -> None:
    """Runs a script of the repository, or a module after "-m", in a folder, as its own session."""
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # of its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for path, number in ((log, 1), (errors, 2)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    with around(), _ends_like_a_script():
        if command[0] == "-m":
            sys.argv = command[1:]
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            file_of_command = str(REPOSITORY / f"{command[0]}.py")
            sys.argv = [file_of_command, *command[1:]]
            runpy.run_path(file_of_command, run_name="__main__")


@contextlib.contextmanager
def _ends_like_a_script() -> Iterator[None]:
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
