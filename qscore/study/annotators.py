"""The people who have a link."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qscore.study.database import Database


@dataclass(frozen=True)
class Annotator:
    """One link. `name` is the owner's note; `created` is in seconds since 1970."""

    number: int
    name: str
    created: float
    consented: bool
    revoked: bool


class Annotators:
    """The annotators of a study, in its database."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, name: str) -> int:
        """Returns the number of a new annotator."""
        with self._database.writing() as db:
            db.execute("INSERT INTO annotators (name, created) VALUES (?, ?)", (name, self._clock()))
            return int(db.execute("SELECT last_insert_rowid()").fetchone()[0])

    def all(self) -> list[Annotator]:
        """Returns everyone, in the order of the links."""
        return self._read("SELECT * FROM annotators ORDER BY id")

    def get(self, number: int) -> Annotator | None:
        """Returns one annotator, or None where there is no such number."""
        found = self._read("SELECT * FROM annotators WHERE id = ?", number)
        return found[0] if found else None

    def consent(self, number: int) -> None:
        """Keeps that the annotator agreed, the first time."""
        self._mark("consented", number)

    def revoke(self, number: int) -> None:
        """Closes the annotator's link; the answers stay."""
        self._mark("revoked", number)

    def _read(self, query: str, *parameters: int) -> list[Annotator]:
        return [
            Annotator(row["id"], row["name"], row["created"], row["consented"] is not None, row["revoked"] is not None)
            for row in self._database.rows(query, parameters)
        ]

    def _mark(self, column: Literal["consented", "revoked"], number: int) -> None:
        with self._database.writing() as db:
            query = f"UPDATE annotators SET {column} = coalesce({column}, ?) WHERE id = ?"
            db.execute(query, (self._clock(), number))
