"""The SQLite file of a study: opened, filled with its trials, and written in transactions that nothing can cut in half.

A change takes the write lock first, so that what it counted still holds when it writes, in this and every other server.
The file is in WAL mode with full synchronisation: what was confirmed is on the disk, whatever kills the server.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from importlib import resources
from random import Random
from typing import Any

from qscore.errors import UserError
from qscore.study.folder import Study
from qscore.study.rules import CONDITIONS

_EVERYONE = 10**9
PATIENCE_S = 60.0  # with another server that writes


class Database:
    """The answers of one study.

    Raises:
        UserError: `answers.sqlite` belongs to another `study.json` or `trials.jsonl`, or is no database.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._lock = threading.Lock()
        self._shared_by: int | None = None
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

        Args:
            durable: waits for the disk. Without, a power cut may lose what a kill of the server does not.
        """
        if self._shared_by == threading.get_ident():
            with self._part() as connection:
                yield connection
            return
        self.begin(durable=durable)
        try:
            yield self._connection
        except BaseException:
            self.undo()
            raise
        self.commit()

    def begin(self, *, durable: bool = True, patience_s: float = PATIENCE_S) -> None:
        """Begins a transaction, which `commit` or `undo` ends, in whatever thread.

        Raises:
            sqlite3.OperationalError: another server writes for longer than `patience_s`.
        """
        self._lock.acquire()
        try:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._connection.execute(f"PRAGMA busy_timeout = {int(1000 * patience_s)}")
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Between `begin` and `commit`: what this thread writes in here is undone alone and committed together."""
        self._shared_by = threading.get_ident()
        try:
            yield
        finally:
            self._shared_by = None

    def commit(self) -> None:
        self._end("COMMIT")

    def undo(self) -> None:
        self._end("ROLLBACK")

    def _end(self, how: str) -> None:
        try:
            if how == "COMMIT" or self._connection.in_transaction:  # SQLite itself undoes all when the disk is full
                self._connection.execute(how)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._lock.release()

    @contextlib.contextmanager
    def _part(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("SAVEPOINT part")
        try:
            yield self._connection
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE part")

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
    connection = sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in ("journal_mode = WAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
