"""What the actions of a group lead to, folded once: a server that goes on adds the new ones only."""

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from qscore.study.naming.actions import read_action
from qscore.study.naming.folder import NamingStudy
from qscore.study.naming.state import History, step

Read: TypeAlias = Callable[[str, Any], list[sqlite3.Row]]

_LOG = "SELECT * FROM naming_actions WHERE annotator = ? AND grp = ? AND number > ? ORDER BY number"
_AT = "SELECT client_id FROM naming_actions WHERE annotator = ? AND grp = ? AND number = ?"
_MAX_STATES = 100_000  # in memory: all of a large study, at about a kilobyte each
_CHECKPOINTS = 3  # of a group of an annotator: a reader does not see yet what a writer folded last


class Folded(NamedTuple):
    """What the actions up to a number lead to, and which one that number was."""

    number: int = 0
    client_id: str = ""
    history: History = History()


class Folding:
    """The latest histories of one server, for all its threads; they share every state that they have in common."""

    def __init__(self, study: NamingStudy) -> None:
        self._study = study
        self._known: OrderedDict[tuple[int, str], tuple[Folded, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def is_known(self, annotator: int, group: str) -> bool:
        """Whether the next fold has little to do."""
        return (annotator, group) in self._known

    def latest(self, read: Read, annotator: int, group: str) -> Folded:
        """Returns what stands: what was folded before, and what others added since."""
        known = self._known.get((annotator, group), ())
        start = next((one for one in known if _stands(read, annotator, group, one)), Folded())
        number, client_id, history = start
        for row in read(_LOG, (annotator, group, number)):
            number, client_id = row["number"], row["client_id"]
            history = step(history, number, read_action(json.loads(row["action"])), self._study.groups[group].keys)
        if number == start.number:
            return start
        self.keep(annotator, group, Folded(number, client_id, history))
        return Folded(number, client_id, history)

    def keep(self, annotator: int, group: str, folded: Folded) -> None:
        """Goes on from here the next time; what was not asked for longest is forgotten."""
        with self._lock:
            earlier = (one for one in self._known.pop((annotator, group), ()) if one.number < folded.number)
            self._known[annotator, group] = (folded, *earlier)[:_CHECKPOINTS]
            while len(self._known) > 1 and sum(ones[0].number for ones in self._known.values()) > _MAX_STATES:
                self._known.popitem(last=False)


def _stands(read: Read, annotator: int, group: str, folded: Folded) -> bool:
    """The transaction around many changes may have been undone after the fold: it counts if its action stands."""
    return [row["client_id"] for row in read(_AT, (annotator, group, folded.number))] == [folded.client_id]
