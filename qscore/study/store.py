"""Who is asked what, and what was answered, under all rules of the study: for many browsers and servers at once."""

import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qscore.study.annotators import Annotator, Annotators
from qscore.study.choosing import Choosing, is_catch_due
from qscore.study.database import Database
from qscore.study.folder import Study, Trial
from qscore.study.rules import utc_day

AHEAD = 2  # trials kept for an annotator at once: the shown one, and the next, whose images are loaded meanwhile

_PLACES_LEFT = """SELECT t.answered + (SELECT count(*) FROM assignments o WHERE o.trial = t.id AND o.answered IS NULL
  AND o.expires > :now AND o.number <> :number) < t.wanted FROM trials t WHERE t.id = :trial"""

_OWN_COUNTS = (
    "SELECT is_catch, count(*) FROM assignments a JOIN trials t ON t.id = a.trial WHERE annotator = ? GROUP BY 1"
)


@dataclass(frozen=True)
class Assignment:
    """A trial that is shown to an annotator, under an opaque id."""

    id: str
    trial: Trial


class Store:
    """The answers of a study.

    Args:
        study: its rules and trials.
        clock: seconds since 1970.
    """

    def __init__(self, study: Study, clock: Callable[[], float] = time.time) -> None:
        self.study = study
        self._clock = clock
        self._choosing = Choosing(study.policies, study.seed)
        self.database = Database(study)
        self.annotators = Annotators(self.database, clock)

    def next(self, annotator: int) -> list[Assignment]:
        """Returns what to show now, and what comes after; the same until it is answered. Empty: nothing left."""
        with self.database.writing(durable=False) as db:
            now = self._clock()
            kept = [row for row in self._open(db, annotator) if self._renew(db, row, now)]
            while len(kept) < AHEAD and self._assign(db, annotator, now):
                kept = self._open(db, annotator)
            if kept:
                db.execute("UPDATE assignments SET shown = coalesce(shown, ?) WHERE id = ?", (now, kept[0]["id"]))
        return [Assignment(row["id"], self.study.trials[row["key"]]) for row in kept]

    def submit(
        self, assignment: str, annotator: int, choice: str, *, suits: str | None = None, response_ms: int | None = None
    ) -> Literal["taken", "repeated", "gone"]:
        """Keeps an answer: the first one of an assignment counts, sending it again changes nothing.

        Returns:
            "gone": not this annotator's, or its time was over and another took the place.
        """
        with self.database.writing() as db:
            now = self._clock()
            query = "SELECT * FROM assignments WHERE id = ? AND annotator = ?"
            row = db.execute(query, (assignment, annotator)).fetchone()
            if row is None:
                return "gone"
            if row["answered"] is not None:
                return "repeated"
            if not self._renew(db, row, now):
                return "gone"
            db.execute(
                "UPDATE assignments SET answered = ?, day = ?, choice = ?, suits = ?, response_ms = ? WHERE id = ?",
                (now, utc_day(now), choice, suits, response_ms, assignment),
            )
        return "taken"

    def assigned(self, assignment: str, annotator: int) -> Trial | None:
        """Returns the trial behind an opaque id, for its annotator alone."""
        query = "SELECT key FROM assignments a JOIN trials t ON t.id = a.trial WHERE a.id = ? AND a.annotator = ?"
        found = self.database.rows(query, (assignment, annotator))
        return self.study.trials[found[0]["key"]] if found else None

    def num_answered(self, annotator: int) -> int:
        """Returns how many questions the annotator answered."""
        query = "SELECT count(*) FROM assignments WHERE annotator = ? AND answered IS NOT NULL"
        return int(self.database.rows(query, (annotator,))[0][0])

    def has_more_later(self, annotator: int) -> bool:
        """Whether there would be a question on another day, or if those who hold the last places leave them."""
        with self.database.writing(durable=False) as db:
            return self._choosing.any_later(db, annotator)

    def is_too_old(self, annotator: Annotator) -> bool:
        """Whether the annotator's link has run out."""
        return self._clock() > annotator.created + 86_400 * self.study.policies.link_days

    def _open(self, db: sqlite3.Connection, annotator: int) -> list[sqlite3.Row]:
        query = """SELECT a.*, t.key FROM assignments a JOIN trials t ON t.id = a.trial
            WHERE a.annotator = ? AND a.answered IS NULL ORDER BY a.number"""
        return db.execute(query, (annotator,)).fetchall()

    def _renew(self, db: sqlite3.Connection, row: sqlite3.Row, now: float) -> bool:
        """Keeps a place for as long as a new one, unless another took it when its time was over: then it is dropped."""
        place = {"now": now, "number": row["number"], "trial": row["trial"]}
        if not db.execute(_PLACES_LEFT, place).fetchone()[0]:  # even before: the clock may have been set back
            db.execute("DELETE FROM assignments WHERE number = ?", (row["number"],))
            self._choosing.forget(row["annotator"])
            return False
        db.execute("UPDATE assignments SET expires = ? WHERE number = ?", (self._expiry(now), row["number"]))
        return True

    def _assign(self, db: sqlite3.Connection, annotator: int, now: float) -> bool:
        counts = dict(tuple(row) for row in db.execute(_OWN_COUNTS, (annotator,)))
        chosen = self._choosing.first(db, annotator, now, is_catch=False)
        # A catch trial stands before an ordinary one: without any left it would be asked for nothing.
        if chosen is not None and is_catch_due(self.study.policies, annotator, counts.get(0, 0), counts.get(1, 0)):
            catch = self._choosing.first(db, annotator, now, is_catch=True)
            chosen = chosen if catch is None else catch
        if chosen is None:
            return False
        db.execute(
            "INSERT INTO assignments (id, trial, annotator, reserved, expires) VALUES (?, ?, ?, ?, ?)",
            (secrets.token_urlsafe(15), chosen, annotator, now, self._expiry(now)),
        )
        return True

    def _expiry(self, now: float) -> float:
        return now + 60 * self.study.policies.reservation_minutes
