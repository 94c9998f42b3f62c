"""Annotators who play a naming that is written down, or one made from it by a habit, action by action."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.files import parse_json
from qscore.study.naming.actions import DISCARDED
from qscore.study.naming.folder import Group
from qscore.study.naming.store import NamingStore
from qscore.study.simulate import SIMULATED


def play_all(store: NamingStore, namings: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Lets a new annotator for each one in records do what these say; returns the numbers of actions and annotators.

    All of it is kept, or, where one action is refused, none.

    Raises:
        UserError: a record names a group or an activation that the study lacks, or its actions are refused.
    """
    numbers: dict[Any, int] = {}
    store.database.begin()
    try:
        with store.database.shared():
            count = 0
            for naming in namings:
                who = naming.get("annotator", 1)
                if who not in numbers:
                    numbers[who] = store.annotators.add(f"{SIMULATED} {who}")
                    store.annotators.consent(numbers[who])
                count += _play(store, naming, numbers[who])
    except BaseException:
        store.database.undo()
        raise
    store.database.commit()
    return count, len(numbers)


def read_namings(path: Path) -> list[dict[str, Any]]:
    """Returns the records of a file that `export` wrote.

    Raises:
        UserError: it is no such file.
    """
    try:
        records = [parse_json(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise UserError(f"Expected namings as `export` writes them in {path}: {error}.") from error
    wrong = [number for number, record in enumerate(records, 1) if not _is_naming(record)]
    if wrong or not records:
        where = f"line {wrong[0]}" if wrong else "a line"
        raise UserError(
            f"Expected namings as `export` writes them in {path}: {where} lacks a group, or concepts with a name and "
            "members each."
        )
    return records


def _is_naming(record: object) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("annotator", 1), str | int):
        return False
    concepts = record.get("concepts")
    return (
        isinstance(record.get("group"), str)
        and isinstance(concepts, list)
        and all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in concepts)
        and all(_are_ids(ids) for ids in (record.get("discarded", []), *(one.get("members") for one in concepts)))
    )


def _are_ids(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _play(store: NamingStore, naming: Mapping[str, Any], annotator: int) -> int:
    group = next((one for one in store.study.groups.values() if one.name == naming["group"]), None)
    if group is None or not store.open(annotator, group.key):
        raise UserError(f"expected a group of this study with a free place; it is {naming['group']!r}.")
    steps: list[dict[str, Any]] = [
        {"do": "create", "name": concept["name"], "members": _keys(group, concept["members"])}
        for concept in naming["concepts"]
    ]
    if naming.get("discarded"):
        steps.append({"do": "move", "members": _keys(group, naming["discarded"]), "to": DISCARDED})
    steps.append({"do": "done", "done": bool(naming.get("done", True))})
    for number, step in enumerate(steps, 1):
        reply = store.append(annotator, group.key, number, secrets.token_hex(8), step)
        if reply.outcome == "stale":
            raise UserError(f"Expected one naming of {group.name!r} by each annotator, got another; keep one.")
        if reply.outcome != "kept":
            raise UserError(f"action {number} in {group.name!r} was {reply.outcome}: {reply.message}")
    return len(steps)


def _keys(group: Group, activation_ids: Sequence[str]) -> list[str]:
    keys = {activation.activation_id: activation.key for activation in group.activations}
    unknown = sorted(set(activation_ids) - set(keys))
    if unknown:
        raise UserError(f"the group {group.name!r} has no activation {unknown[0]!r}.")
    return [keys[one] for one in activation_ids]
