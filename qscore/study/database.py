"""The SQLite file of a study: opened, filled with its trials, and written in transactions that nothing can cut in half.

A change takes the write lock first, so that what it counted still holds when it writes, in this and every other server.
The file is in WAL mode with full synchronisation: what was confirmed is on the disk, whatever kills the server.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib import resources
from random import Random
from typing import Any

from qscore.errors import UserError
from qscore.study.folder import Study
from qscore.study.rules import CONDITIONS

_EVERYONE = 10**9
_TRANSACTION = (("BEGIN IMMEDIATE",), ("COMMIT",), ("ROLLBACK",))
_PART_OF_ONE = (("SAVEPOINT part",), ("RELEASE part",), ("ROLLBACK TO part", "RELEASE part"))


class Database:
    """The answers of one study.

    Raises:
        UserError: `answers.sqlite` belongs to another `study.json` or `trials.jsonl`, or is no database.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._lock = threading.RLock()
        self._readers: list[sqlite3.Connection] = []  # in WAL mode these wait neither for a writer nor for each other
        try:
            self._connection = _connect(study)
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise UserError(
                f"Expected the answers of a study in {study.folder / 'answers.sqlite'}, which cannot be used: {error}. "
                "Put a copy of it back; without the file the study begins anew."
            ) from error

    def close(self) -> None:
        for connection in (self._connection, *self._readers):
            connection.close()

    def rows(self, query: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Returns what a reading statement finds."""
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = _connect(self.study)
        try:
            return reader.execute(query, parameters).fetchall()
        finally:
            self._readers.append(reader)

    @contextlib.contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start; an exception undoes it.

        Inside another one of the same thread it is a part of that: undone alone, committed with it.

        Args:
            durable: waits for the disk. Without, a kill of the server loses nothing either, but a power cut may: enough
                for a place that is kept for someone.
        """
        with self._lock:
            is_part = self._connection.in_transaction
            begin, commit, undo = _PART_OF_ONE if is_part else _TRANSACTION
            if not is_part:
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._execute(begin)
            try:
                yield self._connection
                self._execute(commit)
            except BaseException:
                self._execute(undo)
                raise

    def _execute(self, statements: tuple[str, ...]) -> None:
        for statement in statements:
            self._connection.execute(statement)

    def _prepare(self) -> None:
        schema = resources.files("qscore.study").joinpath("schema.sql").read_text(encoding="utf-8")
        with self._lock:
            self._connection.executescript(schema)
        with self.writing() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('fingerprint', ?)", (self.study.fingerprint,))
            kept = db.execute("SELECT value FROM meta WHERE key = 'fingerprint'").fetchone()[0]
            if kept != self.study.fingerprint:
                raise UserError(
                    f"{self.study.folder}: the answers belong to another study.json or trials.jsonl; these must stay "
                    "as they were when the first link was made. Put them back, or make a new study."
                )
            if db.execute("SELECT count(*) FROM trials").fetchone()[0] == 0:
                db.executemany("INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", self._trial_rows())

    def _trial_rows(self) -> Iterator[tuple[Any, ...]]:
        random = Random(self.study.seed)
        for number, trial in enumerate(self.study.trials.values()):
            query = None if trial.is_catch or trial.condition == "likert" else trial.query_id or None
            wanted = _EVERYONE if trial.is_catch else self.study.policies.answers_per_trial
            block, shuffle = CONDITIONS.index(trial.condition), random.randrange(1, 2**31 - 1)
            yield number, trial.id, trial.condition, block, trial.group, query, int(trial.is_catch), wanted, shuffle


def _connect(study: Study) -> sqlite3.Connection:
    file = study.folder / "answers.sqlite"
    connection = sqlite3.connect(file, timeout=60, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in ("busy_timeout = 60000", "journal_mode = WAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def utc_day(seconds: float) -> str:
    """Returns the day in UTC.

    >>> utc_day(86_399.0), utc_day(86_400.0)
    ('1970-01-01', '1970-01-02')
    """
    return datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()
