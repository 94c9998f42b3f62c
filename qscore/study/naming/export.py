"""What people named, for its analysis: the one place where features and samples come out again."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

from qscore.spreadsheets import guarded_cell
from qscore.study.naming.actions import DISCARDED, UNLABELLED
from qscore.study.naming.folder import Group
from qscore.study.naming.store import NamingStore

PAUSE_S = 300  # a longer time between two actions was a pause


def namings(store: NamingStore) -> list[dict[str, Any]]:
    """Returns one record an annotator and group in which something was done.

    `concepts`: name and members (`activation_id`); `discarded`, `unlabelled`: activation ids; `done`: the annotator
    said so; `num_actions`; `seconds`: from opening the group to the last action, pauses left out.
    """
    return [
        _naming(store, annotator.number, group)
        for annotator in store.annotators.all()
        for group in store.study.groups.values()
        if store.log(annotator.number, group.key)
    ]


def actions(store: NamingStore) -> list[dict[str, Any]]:
    """Returns the raw log, an action a record, with activation ids for keys; times are UTC."""
    return [
        {
            "annotator": annotator.number,
            "group": group.name,
            "number": entry["number"],
            "action": _with_ids(entry["action"], group),
            "received": datetime.fromtimestamp(entry["received"], timezone.utc).isoformat(timespec="milliseconds"),
        }
        for annotator in store.annotators.all()
        for group in store.study.groups.values()
        for entry in store.log(annotator.number, group.key)
    ]


def as_jsonl(records: list[dict[str, Any]]) -> str:
    """Returns one JSON object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def as_table(records: list[dict[str, Any]], header: Sequence[str] = ("annotator",)) -> str:
    """Returns CSV; what is more than a word or number stands in its cell as JSON; no word is a formula.

    Args:
        records: Of the same keys.
        header: Where there are none.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, list(records[0]) if records else header, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in record.items()} for record in records)
    return file.getvalue()


def places(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns one record an activation of each naming, with its concept, or "" and where it was put instead.

    >>> one = {"annotator": 1, "group": "a", "concepts": [{"name": "ear", "members": ["7"]}], "done": True}
    >>> [(row["activation_id"], row["place"]) for row in places([one | {"discarded": ["8"], "unlabelled": []}])]
    [('7', 'concept'), ('8', 'discarded')]
    """
    rows = []
    for record in records:
        inside = [("concept", one["name"], one["members"]) for one in record["concepts"]]
        inside += [(place, "", record[place]) for place in (DISCARDED, UNLABELLED)]
        for place, name, members in inside:
            who = {key: record[key] for key in ("annotator", "group", "done")}
            rows += [{**who, "activation_id": member, "place": place, "concept": name} for member in members]
    return rows


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else guarded_cell(value)


def _naming(store: NamingStore, annotator: int, group: Group) -> dict[str, Any]:
    history, log = store.history(annotator, group.key), store.log(annotator, group.key)
    state = history.present
    return {
        "annotator": annotator,
        "group": group.name,
        "concepts": [{"name": one.name, "members": _ids(group, one.members)} for one in state.concepts],
        "discarded": _ids(group, state.discarded),
        "unlabelled": _ids(group, group.keys - state.placed),
        "done": history.done,
        "num_actions": len(log),
        "seconds": _seconds(store, annotator, group, [entry["received"] for entry in log]),
    }


def _ids(group: Group, keys: frozenset[str]) -> list[str]:
    return sorted(group.by_key[key].activation_id for key in keys)


def _with_ids(action: dict[str, Any], group: Group) -> dict[str, Any]:
    if "members" not in action:
        return action
    return {**action, "members": [group.by_key[key].activation_id for key in action["members"]]}


def _seconds(store: NamingStore, annotator: int, group: Group, times: list[float]) -> float:
    query = "SELECT opened FROM naming_places WHERE annotator = ? AND grp = ?"
    opened = [row["opened"] for row in store.database.rows(query, (annotator, group.key))]
    moments = [*opened, *times]
    gaps = (later - earlier for earlier, later in pairwise(moments))
    return float(round(sum(gap for gap in gaps if 0 <= gap <= PAUSE_S), 3))
