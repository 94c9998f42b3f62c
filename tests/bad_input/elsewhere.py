"""Tries in a process of its own, whose shapes and types nobody checks: as readers run outside of the tests."""

import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

from tests.bad_input.trying import Files, Outcome, attempt


class Elsewhere:
    """A process that tries what it is sent; one that dies is a fault, and another one goes on."""

    def __init__(self) -> None:
        self._process: Any = None

    def attempt(self, target: str, files: Files) -> Outcome:
        """Returns what came of a try in there; see `trying.attempt`."""
        if self._process is None:
            self._start()
        self._ours.send((target, dict(files)))
        try:
            found: Outcome = self._ours.recv()
        except EOFError:
            self.close()
            return Outcome("the process died")
        return found

    def close(self) -> None:
        if self._process is not None:
            self._ours.close()
            self._process.join(10)
            self._process.kill()
            self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()


def _serve(asked: Connection) -> None:
    from tests.bad_input.targets import TARGETS

    targets = {target.name: target for target in TARGETS}
    while True:
        try:
            name, files = asked.recv()
        except EOFError:
            return
        asked.send(attempt(targets[name], files))
