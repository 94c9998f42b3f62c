"""Annotators who play a naming that is written down, or one made from it by a habit, action by action."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.files import parse_json
from qscore.study.naming.actions import DISCARDED
from qscore.study.naming.folder import Group
from qscore.study.naming.store import NamingStore


def play(store: NamingStore, naming: Mapping[str, Any], annotator: int) -> int:
    """Lets an annotator do what a record of `export.namings` says, and returns the number of actions.

    Raises:
        UserError: the record names a group or an activation that the study lacks.
    """
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
    first = len(store.log(annotator, group.key)) + 1
    for number, step in enumerate(steps, first):
        reply = store.append(annotator, group.key, number, secrets.token_hex(8), step)
        if reply.outcome != "kept":
            raise UserError(f"action {number} in {group.name!r} was {reply.outcome}: {reply.message}")
    return len(steps)


def read_namings(path: Path) -> list[dict[str, Any]]:
    """Returns the records of a file that `export` wrote.

    Raises:
        UserError: it is no such file.
    """
    try:
        records = [parse_json(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        named = [record for record in records if isinstance(record, dict) and {"group", "concepts"} <= set(record)]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"Expected namings as `export` writes them in {path}: {error}.") from error
    if len(named) < len(records) or not records:
        raise UserError(f"Expected namings as `export` writes them in {path}: a line lacks a group or its concepts.")
    return records


def _keys(group: Group, activation_ids: Sequence[str]) -> list[str]:
    keys = {activation.activation_id: activation.key for activation in group.activations}
    unknown = sorted(set(activation_ids) - set(keys))
    if unknown:
        raise UserError(f"the group {group.name!r} has no activation {unknown[0]!r}.")
    return [keys[one] for one in activation_ids]
