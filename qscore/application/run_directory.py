"""A run directory: what was asked for, how far it came, and everything it left."""

import contextlib
import datetime
import os
import subprocess
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from qscore.application.launch import is_first_process
from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import WEIGHTS, forget_unfinished, read_object, write_json
from qscore.installation import command, is_checkout
from qscore.versions import versions

FACTS = "run.json"
CACHE = "representations"
UNTRAINED = "untrained"  # the network as it was before pretraining
RUNNING, COMPLETE = "running", "complete"
# What decides the weights; two runs that differ elsewhere (logger, workers) are the same run.
IDENTITY = (
    "data",
    "encoder",
    "method",
    "regularizer",
    "guard",
    "checkpoint",
    "head_warmup_steps",
    "seed",
    "epochs",
    "pretrain_epochs",
    "batch_size",
    "precision",
)


@dataclass(frozen=True)
class RunDirectory:
    """One training run on disk.

    Attributes:
        path: The directory.
    """

    path: Path

    @property
    def facts(self) -> dict[str, Any]:
        """The content of `run.json`; empty before the run has begun."""
        file = self.path / FACTS
        return read_object(file) if file.is_file() else {}

    @property
    def config(self) -> dict[str, Any]:
        """The settings that the run began with.

        Raises:
            UserError: If there are none.
        """
        found = self.facts.get("config")
        if not isinstance(found, dict):
            raise UserError(f"Expected settings in {self.path / FACTS}, found none; start the run again.")
        return found

    @property
    def is_complete(self) -> bool:
        """Whether training ended and the encoder was saved."""
        return self.facts.get("status") == COMPLETE and (self.path / WEIGHTS).is_file()

    def is_evaluated(self, evaluations: Iterable[str]) -> bool:
        """Whether, after that, some evaluations were done, and the report was written."""
        done = self.facts.get("evaluated")
        return self.is_complete and isinstance(done, list) and all(name in done for name in evaluations)

    @property
    def last_checkpoint(self) -> Path | None:
        """The newest whole training state, or None."""
        file = self.path / "checkpoints" / "last.ckpt"
        return file if file.is_file() else None

    @property
    def results(self) -> Path:
        """Where the evaluations of this run are written."""
        return self.path / "results"

    def begin(self, stage: str, config: dict[str, Any]) -> None:
        """Opens the run, takes up one of the same settings that was interrupted, or leaves a complete one as it is.

        Args:
            stage: "pretrain", "fine_tune" or "imported".
            config: The resolved configuration.

        Raises:
            UserError: If the directory holds a run with other settings.
        """
        has_work = self.last_checkpoint is not None or (self.path / WEIGHTS).is_file()
        known = self.config if has_work and self.facts else None
        differing = [] if known is None else [name for name in IDENTITY if known.get(name) != config.get(name)]
        if differing:
            raise UserError(
                f"{self.path} holds a run with other settings ({', '.join(differing)}); choose another run_dir, "
                "or delete the folder."
            )
        if self.is_complete:
            return
        if is_first_process():
            forget_unfinished(self.path)
        started = self.facts.get("started", _now())
        self.update(
            stage=stage, status=RUNNING, started=started, config=config, versions=versions(), git_commit=_git_commit()
        )

    def complete(self, **facts: Any) -> None:
        """Closes the run."""
        self.update(status=COMPLETE, ended=_now(), **facts)

    def update(self, **facts: Any) -> None:
        """Adds facts to `run.json`; on several devices the first process does."""
        if is_first_process():
            write_json(self.path / FACTS, {**self.facts, **facts})

    def relative(self, other: Path) -> str:
        """Returns the path of another directory as seen from this one, so that both can move together."""
        return os.path.relpath(other.absolute(), self.path.absolute())

    @property
    def baseline(self) -> "RunDirectory | None":
        """The run whose encoder this one started from."""
        name = self.facts.get("baseline")
        if not isinstance(name, str | None) or "\0" in (name or ""):
            raise UserError(f"Expected a folder as baseline in {self.path / FACTS}, got {name!r:.80}; start again.")
        return None if name is None else RunDirectory((self.path / name).resolve())


def alone_in(directory: Path) -> AbstractContextManager[object]:
    """Returns a context in which no concurrent run of a sweep, on this machine or file system, works in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    # The other processes of a run on several devices are started while the first one holds the lock.
    return FileLock(directory / ".lock") if is_first_process() else contextlib.nullcontext()


def existing_run(path: str | Path) -> RunDirectory:
    """Returns the run in a directory.

    Raises:
        UserFileNotFoundError: If there is none.
    """
    run = RunDirectory(Path(path))
    try:
        is_run = bool(run.facts)
    except OSError:  # a name that no file system takes
        is_run = False
    if not is_run:
        raise UserFileNotFoundError(f"Expected a run directory with a {FACTS}, found none at {path}.")
    return run


def finished_run(path: str | Path) -> RunDirectory:
    """Returns the finished run in a directory.

    Raises:
        UserFileNotFoundError: If there is no run.
        UserError: If it has not ended.
    """
    run = existing_run(path)
    if not run.is_complete:
        raise UserError(
            f"Expected a finished run, got an unfinished one at {path}; run: {command('train')} resume={path}"
        )
    return run


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def _git_commit() -> str | None:
    """The commit of the code, where it runs from a clone."""
    if not is_checkout():  # an environment may lie in somebody's repository, whose commit is not ours
        return None
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
