"""Commands of the repository in processes forked from one that has imported everything: a start takes no ten seconds.

What is in doubt between such a process and one that was started by hand is tested by hand: see `typed`.
"""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.processes.inside import run

PATIENCE_S = 240.0

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.processes.preloaded"])

Done = subprocess.CompletedProcess[str]


@dataclass
class Child:
    """A command in a process of its own, which begins a session; as a context, it has ended after the block.

    Attributes:
        command: Name of a script of the repository, or "-m" and a module; then its arguments.
        log: Where what it says is appended.
        errors: Where what it says on stderr is; None for the same file.
        environment: Added to this process's.
        around: Makes what is entered before the command and left after it, inside of the process.
    """

    command: list[str]
    log: Path
    errors: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    around: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext

    def start(self) -> "Child":
        environment = {**os.environ, **self.environment}
        arguments = (self.command, self.log, self.errors or self.log, environment, Path.cwd(), self.around)
        self.process = context.Process(target=run, args=arguments)
        self.process.start()
        self.started = time.monotonic()
        return self

    def wait(self, timeout_s: float = PATIENCE_S) -> int | None:
        """Returns the exit status, negative after a signal; None while it runs."""
        self.process.join(timeout_s)
        return self.process.exitcode

    def wait_until(self, is_so: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
        """Waits for what the process brings about, which must not end before."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert self.process.is_alive(), f"it ended before: {self.said[-2000:]}"
            assert time.monotonic() < deadline, self.said[-2000:]
            time.sleep(0.01)

    def strike(self, signum: int) -> None:
        """Sends a signal to the process and its workers."""
        pid = self.process.pid
        if pid is not None and self.process.is_alive():
            try:
                os.killpg(pid, signum)
            except ProcessLookupError:  # it has not begun a session yet
                os.kill(pid, signum)

    def end(self) -> None:
        """Ends it, however it stands, and workers that outlive it."""
        self.strike(signal.SIGKILL)
        self.process.join()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.is_file() else ""

    def finish(self) -> "Child":
        """Runs the command to its end.

        Raises:
            TimeoutError: If it does not end.
        """
        with self.start():
            if self.wait() is None:
                raise TimeoutError(f"{' '.join(self.command)} did not end: {self.said[-2000:]}")
        return self

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def script(name: str, *arguments: str, **environment: str) -> Done:
    """Runs a script of the repository, or the module behind "-m", to its end."""
    command = [name, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        child = Child(command, out, errors, environment).finish()
        return Done(command, child.process.exitcode or 0, out.read_text(), errors.read_text())


def typed(name: str, *arguments: str, **environment: str) -> Done:
    """Runs a script of the repository as a user would: by a new interpreter, which imports everything itself."""
    command = [sys.executable, str(REPOSITORY / f"{name}.py"), *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=600)
