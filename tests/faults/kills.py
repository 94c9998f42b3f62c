"""Kills at random moments and at aimed ones, each followed by the command that goes on."""

import random
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.checks import broken_files, differences, num_unfinished, outcome
from tests.faults.processes import Child, finish
from tests.faults.stages import STAGES, Stage, prepare, undisturbed

TERMINATED = 128 + signal.SIGTERM
MAX_STATUS = 128


@dataclass
class Kill:
    """One kill and what came of it.

    Attributes:
        stage: Name of the stage.
        number: Of the kill in its stage; with the seed it decides everything else.
        signal: "SIGKILL" or "SIGTERM".
        change: Number of the change of a file before which it struck; 0 for a moment of time.
        seconds: After the start; of an aimed one, when it struck.
        struck: Whether the process still ran.
        status: Exit status.
        unfinished: Files that were left under temporary names.
        faults: What is wrong; empty where nothing was lost.
    """

    stage: str
    number: int
    signal: str
    change: int = 0
    seconds: float = 0.0
    struck: bool = True
    status: int | None = None
    unfinished: int = 0
    faults: list[str] = field(default_factory=list)


class Campaign:
    """Kills of the stages in one folder, each stage prepared from an undisturbed one.

    Args:
        folder: For templates and the folder at work.
        seed: Of all draws.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder.absolute(), seed
        self.home, self.templates = self.folder / "home", self.folder / "templates"
        self.templates.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, tuple[int, float, dict[str, Any]]] = {}

    def know(self, stage: Stage) -> tuple[int, float, dict[str, Any]]:
        """Returns changes, seconds and outcome of an undisturbed stage, run now where it was not yet."""
        if stage.name not in self._known:
            if stage.needs is not None:
                self.know(STAGES[stage.needs])
            num_changes, seconds = undisturbed(stage, self.home, self.templates)
            self._known[stage.name] = (num_changes, seconds, outcome(self.home))
        return self._known[stage.name]

    def kill(self, name: str, number: int) -> Kill:
        """Kills a stage once, goes on, and compares with the undisturbed one."""
        stage = STAGES[name]
        num_changes, seconds, expected = self.know(stage)
        draw = random.Random(f"{self.seed} {name} {number}")
        signum = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
        change = draw.randint(1, num_changes) if number % 2 else 0
        moment = 0.0 if change else draw.uniform(0, seconds)
        kill = Kill(name, number, signum.name, change, round(moment, 3))
        prepare(stage, self.home, self.templates)
        child = self._strike(stage, kill, signum)
        kill.status, kill.unfinished = child.process.exitcode, num_unfinished(self.home)
        kill.struck = kill.status != 0
        kill.faults = [f"broken after the kill: {text}" for text in broken_files(self.home)]
        kill.faults += _wrong_end(stage, kill, child.said)
        child.log.write_text("")
        done = finish(stage.again(self.home), self.home, child.log)
        if done.process.exitcode != 0:
            kill.faults.append(f"did not go on: {done.process.exitcode}: {done.said[-1500:]}")
        kill.faults += [f"broken at the end: {text}" for text in broken_files(self.home)]
        found = differences(expected, outcome(self.home))
        kill.faults += [f"differs: {', '.join(found[:5])}"] if found else []
        return kill

    def _strike(self, stage: Stage, kill: Kill, signum: int) -> Child:
        log = self.folder / "kill.log"
        log.write_text("")
        child = Child(stage.command(self.home), self.home, log, kill.change, signum).start()
        if not kill.change and child.wait(kill.seconds) is None:
            child.strike(signum)
        if child.wait() is None:
            kill.faults.append("did not end")
        kill.seconds = round(child.seconds, 3)
        child.end()
        return child


def _wrong_end(stage: Stage, kill: Kill, said: str) -> list[str]:
    """SIGTERM ends a command with its message, once it listens; before that, and elsewhere, as the system does."""
    if kill.signal == "SIGTERM" and kill.status == TERMINATED and "ended by SIGTERM. Go on with: " not in said:
        return [f"no message: {said[-500:]}"]
    allowed = {0, TERMINATED, -signal.SIGTERM} if kill.signal == "SIGTERM" else {0, -signal.SIGKILL}
    return [] if kill.status in allowed else [f"exit status {kill.status}: {said[-1500:]}"]


def as_row(kill: Kill) -> dict[str, Any]:
    """Returns a kill as JSON."""
    return asdict(kill)
