"""Processes to disturb, forked from one that has imported everything: a start takes milliseconds, not ten seconds."""

import contextlib
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.child import run

PRELOADED = ["tests.faults.preloaded"]
PATIENCE_S = 240.0

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOADED)


@dataclass
class Child:
    """A command in a process of its own.

    Attributes:
        command: Name of a script of the repository, or "-m" and a module; then its arguments.
        home: Folder whose changes are counted.
        log: What the command says.
        number: Of the change of a file to be struck at; 0 for none.
        signum: What strikes then.
        environment: Added to this process's.
    """

    command: list[str]
    home: Path
    log: Path
    number: int = 0
    signum: int = signal.SIGKILL
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> "Child":
        arguments = (self.command, self.home, self.log, self.environment, self.number, self.signum)
        self.process = _context.Process(target=run, args=arguments)
        self.process.start()
        self.started = time.monotonic()
        return self

    def wait(self, timeout_s: float = PATIENCE_S) -> int | None:
        """Returns the exit status, negative after a signal; None while it runs."""
        self.process.join(timeout_s)
        return self.process.exitcode

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

    @property
    def num_changes(self) -> int:
        return int(self.log.with_suffix(".changes").read_text())


def finish(command: list[str], home: Path, log: Path, **environment: str) -> Child:
    """Runs a command to its end."""
    child = Child(command, home, log, environment=environment).start()
    status = child.wait()
    if status is None:
        child.end()
        raise TimeoutError(f"{' '.join(command)} did not end: {child.said[-2000:]}")
    return child
