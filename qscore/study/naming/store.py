"""Actions as they come: kept in order, each once, for many browsers and servers at once."""

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from qscore.study.naming.actions import ActionRefusedError, as_record, read_action
from qscore.study.naming.folder import Group, NamingStudy
from qscore.study.naming.folding import Folded, Folding, Read
from qscore.study.naming.state import History, step
from qscore.study.store import Store

MAX_ACTIONS = 10_000  # of one annotator in one group: far more than anyone does, and folded in about a second

# Who did something, or opened the group a while ago only, has a place in it; of a closed link, who finished it.
_OTHERS = """SELECT count(*) FROM naming_places p JOIN annotators who ON who.id = p.annotator
  WHERE grp = :grp AND annotator <> :annotator AND CASE WHEN who.revoked IS NULL
    THEN seen > :since OR EXISTS (SELECT 1 FROM naming_actions a WHERE a.annotator = p.annotator AND a.grp = p.grp)
    ELSE (SELECT json_extract(action, '$.done') FROM naming_actions a WHERE a.annotator = p.annotator
      AND a.grp = p.grp AND json_extract(action, '$.do') = 'done' ORDER BY number DESC LIMIT 1) END"""
_LAST = "SELECT coalesce(max(number), 0) FROM naming_actions WHERE annotator = ? AND grp = ?"
_LOG = "SELECT * FROM naming_actions WHERE annotator = ? AND grp = ? AND number > ? ORDER BY number"
_SENT = "SELECT number FROM naming_actions WHERE annotator = ? AND grp = ? AND client_id = ?"
_LOOKED = "SELECT 1 FROM naming_judges WHERE annotator = ? AND looked IS NOT NULL"


@dataclass(frozen=True)
class Reply:
    """What became of an action. "stale": another window was first; "refused": the state does not allow it."""

    outcome: Literal["kept", "repeated", "stale", "refused", "closed"]
    message: str = ""


class NamingStore:
    """The actions of a naming study.

    Args:
        study: its groups and rules.
        clock: seconds since 1970.
    """

    def __init__(self, study: NamingStudy, clock: Callable[[], float] = time.time) -> None:
        self.study = study
        self.desk = Store(study.frame, clock)  # links and the database, as in every study
        self.database, self.annotators = self.desk.database, self.desk.annotators
        self.clock = clock
        self._folding = Folding(study)
        schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
        with self.database.writing() as db:
            for statement in schema.split(";\n"):
                db.execute(statement)

    def groups(self, annotator: int) -> list[Group]:
        """Returns the groups that the annotator names or may still begin, in an order of their own."""
        orders = {key: group.shuffled(self.study.frame.seed, annotator) for key, group in self.study.groups.items()}
        keys = sorted(self.study.groups, key=lambda key: (orders[key][0], key))
        opened = self.database.rows("SELECT grp FROM naming_places WHERE annotator = ?", (annotator,))
        mine = [row["grp"] for row in opened if self.has_place(annotator, row["grp"])]
        rest = [key for key in keys if key not in mine and self.has_place(annotator, key)]
        return [self.study.groups[key] for key in sorted([*mine, *rest], key=keys.index)]

    def has_place(self, annotator: int, group: str, read: Read | None = None) -> bool:
        """Whether the annotator may name the group; inside a transaction, `read` sees what it wrote."""
        wanted, read = self.study.policies.annotators_per_group, read or self.database.rows
        if not wanted or read(_LAST, (annotator, group))[0][0]:
            return True
        return bool(read(_OTHERS, self._place(annotator, group))[0][0] < wanted)

    def open(self, annotator: int, group: str) -> bool:
        """Keeps a place in the group for the annotator; False: all are taken."""
        with self.database.writing(durable=False) as db:
            if not self.has_place(annotator, group, _reading(db)):
                return False
            now = self.clock()
            db.execute(
                "INSERT INTO naming_places VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seen = excluded.seen",
                (annotator, group, now, now),
            )
        return True

    def append(self, annotator: int, group: str, number: int, client_id: str, record: object) -> Reply:
        """Keeps an action if it is the next one; sending it again changes nothing.

        Args:
            annotator: who does it.
            group: its key.
            number: the number that the page gave it, one after the latest that it knows of.
            client_id: chosen by the page, another one for each action.
            record: the action as JSON.
        """
        with self.database.writing() as db:
            read = _reading(db)
            if read(_SENT, (annotator, group, client_id)):
                return Reply("repeated")
            if read(_LOOKED, (annotator,)) or not self.has_place(annotator, group, read):
                return Reply("closed", "This group is closed for you. What you did before is kept.")
            folded = self._folding.latest(read, annotator, group)
            if number != folded.number + 1:
                return Reply("stale", "This group was changed in another window. What is there now is shown here.")
            try:
                action = read_action(record)
                if number > MAX_ACTIONS:
                    raise ActionRefusedError("This group has had too many changes. Please tell the owner.")
                history = step(folded.history, number, action, self.study.groups[group].keys)
            except ActionRefusedError as error:
                return Reply("refused", str(error))
            kept = json.dumps(as_record(action), ensure_ascii=False)
            row = (annotator, group, number, client_id, kept, self.clock())
            db.execute("INSERT INTO naming_actions VALUES (?, ?, ?, ?, ?, ?)", row)
        self._folding.keep(annotator, group, Folded(number, client_id, history))
        return Reply("kept")

    def log(self, annotator: int, group: str) -> list[dict[str, Any]]:
        """Returns the actions of an annotator in a group: number, action and the time of its coming."""
        rows = self.database.rows(_LOG, (annotator, group, 0))
        shown = ("number", "received")
        return [{**{name: row[name] for name in shown}, "action": json.loads(row["action"])} for row in rows]

    def history(self, annotator: int, group: str) -> History:
        """Returns what the actions of an annotator in a group lead to."""
        return self.folded(annotator, group).history

    def folded(self, annotator: int, group: str) -> Folded:
        """Returns the same with the number of the latest action."""
        return self._folding.latest(self.database.rows, annotator, group)

    def is_folded(self, annotator: int, group: str) -> bool:
        """Whether `append` has little to do; else `history` in a thread of its own does the most of it."""
        return self._folding.is_known(annotator, group)

    def is_closed(self, annotator: int) -> bool:
        """Whether the annotator has seen others' names, and so names no more."""
        return bool(self.database.rows(_LOOKED, (annotator,)))

    def _place(self, annotator: int, group: str) -> dict[str, Any]:
        since = self.clock() - 60 * self.study.policies.reservation_minutes
        return {"annotator": annotator, "grp": group, "since": since}


def _reading(db: sqlite3.Connection) -> Read:
    return lambda query, parameters: db.execute(query, parameters).fetchall()
