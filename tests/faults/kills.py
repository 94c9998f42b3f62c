"""Kills at random moments and at aimed ones, each followed by the command that goes on, which is killed in its turn."""

import random
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qscore.files import read_json, write_json
from tests.faults.blows import disturbed
from tests.faults.checks import broken_files, differences, num_unfinished, outcome
from tests.faults.stages import STAGES, Stage, prepare, undisturbed
from tests.processes import Child

TERMINATED = 128 + signal.SIGTERM
CHAIN = 5


@dataclass
class Kill:
    """One kill and what came of it.

    Attributes:
        stage: Name of the stage.
        number: Of the chain of kills in its stage; with the seed it decides everything else.
        index: Of the kill in its chain.
        signal: "SIGKILL" or "SIGTERM".
        change: Number of the change of a file before which it struck; 0 for a moment of time.
        seconds: After the start; of an aimed one, when it struck.
        status: Exit status.
        unfinished: Files that were left under temporary names.
        faults: What is wrong; empty where nothing was lost.
    """

    stage: str
    number: int
    index: int
    signal: str
    change: int = 0
    seconds: float = 0.0
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
        """Returns changes, seconds and outcome of an undisturbed stage, run now where it was not yet in this folder."""
        if stage.name not in self._known:
            if stage.needs is not None:
                self.know(STAGES[stage.needs])
            facts = self.templates / f"{stage.name}.json"
            if not facts.is_file():
                num_changes, seconds = undisturbed(stage, self.home, self.templates)
                write_json(facts, {"num_changes": num_changes, "seconds": seconds})
            known = read_json(facts)
            self._known[stage.name] = (known["num_changes"], known["seconds"], outcome(self.templates / stage.name))
        return self._known[stage.name]

    def chain(self, name: str, number: int, length: int = CHAIN) -> list[Kill]:
        """Kills a stage, and the command that goes on, several times; compares the end with an undisturbed one.

        What is wrong at the end is noted at the last kill.
        """
        stage = STAGES[name]
        num_changes, seconds, expected = self.know(stage)
        draw = random.Random(f"{self.seed} {name} {number}")
        prepare(stage, self.home, self.templates)
        kills: list[Kill] = []
        for i in range(length):
            signum, left = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]), 1 - i / CHAIN
            change = draw.randint(1, max(1, round(num_changes * left))) if (i + number) % 2 else 0
            moment = 0.0 if change else draw.uniform(0, seconds * left)
            kill = Kill(name, number, i, signum.name, change, round(moment, 3))
            child = self._strike(stage, kill, signum)
            if kill.status == 0:
                break  # it had ended before
            kills.append(kill)
            kill.unfinished = num_unfinished(self.home)
            kill.faults += [f"broken after the kill: {text}" for text in broken_files(self.home)]
            kill.faults += _wrong_end(kill, child.said)
        kills[-1:] = [self._end(stage, kill, expected) for kill in kills[-1:]]
        return kills

    def _end(self, stage: Stage, kill: Kill, expected: dict[str, Any]) -> Kill:
        done = disturbed(stage.again(self.home), self.home, self._log()).finish()
        if done.process.exitcode != 0:
            kill.faults.append(f"did not go on: {done.process.exitcode}: {done.said[-1500:]}")
        kill.faults += [f"broken at the end: {text}" for text in broken_files(self.home)]
        found = differences(expected, outcome(self.home))
        kill.faults += [f"differs: {', '.join(found[:5])}"] if found else []
        return kill

    def _log(self) -> Path:
        log = self.folder / "kill.log"
        log.write_text("")
        return log

    def _strike(self, stage: Stage, kill: Kill, signum: int) -> Child:
        command = stage.again(self.home) if kill.index else stage.command(self.home)
        with disturbed(command, self.home, self._log(), kill.change, signum).start() as child:
            if not kill.change and child.wait(kill.seconds) is None:
                child.strike(signum)
            if child.wait() is None:
                kill.faults.append("did not end")
            kill.seconds = round(child.seconds, 3)
            kill.status = child.process.exitcode
        return child


def _wrong_end(kill: Kill, said: str) -> list[str]:
    """SIGTERM ends a command with its message, once it listens; before that, and elsewhere, as the system does."""
    if kill.signal == "SIGTERM" and kill.status == TERMINATED and "ended by SIGTERM. Go on with: " not in said:
        return [f"no message: {said[-500:]}"]
    allowed = {0, TERMINATED, -signal.SIGTERM} if kill.signal == "SIGTERM" else {0, -signal.SIGKILL}
    return [] if kill.status in allowed else [f"exit status {kill.status}: {said[-1500:]}"]
