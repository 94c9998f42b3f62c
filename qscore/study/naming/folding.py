"""What the actions of a group lead to, folded once: a server that goes on adds the new ones only."""

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from qscore.study.naming.actions import read_action
from qscore.study.naming.folder import NamingStudy
from qscore.study.naming.state import History, step

Read: TypeAlias = Callable[[str, Any], list[sqlite3.Row]]

_LOG = "SELECT * FROM naming_actions WHERE annotator = ? AND grp = ? AND number > ? ORDER BY number"
_AT = "SELECT client_id FROM naming_actions WHERE annotator = ? AND grp = ? AND number = ?"
_KEPT = 256  # groups of annotators


class Folded(NamedTuple):
    """What the actions up to a number lead to, and which one that number was."""

    number: int = 0
    client_id: str = ""
    history: History = History()


class Folding:
    """The latest histories of one server, for its writer alone."""

    def __init__(self, study: NamingStudy) -> None:
        self._study = study
        self._known: OrderedDict[tuple[int, str], Folded] = OrderedDict()

    def latest(self, read: Read, annotator: int, group: str) -> Folded:
        """Returns what stands: what was folded before, and what others added since."""
        number, client_id, history = self._known.get((annotator, group), Folded())
        # The transaction around many changes may have been undone after the fold: it counts if its action stands.
        if number and [row["client_id"] for row in read(_AT, (annotator, group, number))] != [client_id]:
            number, client_id, history = Folded()
        for row in read(_LOG, (annotator, group, number)):
            number, client_id = row["number"], row["client_id"]
            history = step(history, number, read_action(json.loads(row["action"])), self._study.groups[group].keys)
        return Folded(number, client_id, history)

    def keep(self, annotator: int, group: str, folded: Folded) -> None:
        """Goes on from here the next time."""
        self._known[annotator, group] = folded
        self._known.move_to_end((annotator, group))
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
