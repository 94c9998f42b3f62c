"""What an annotator can do to a group of activation maps: the data of a naming study."""

import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

UNLABELLED, DISCARDED = "unlabelled", "discarded"
MAX_NAME_LENGTH = 60


class ActionRefusedError(ValueError):
    """An action that the state does not allow; the message is for the annotator."""


@dataclass(frozen=True)
class Create:
    """A new concept; its id is "c" and the number of the action."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Rename:
    """Another name for a concept."""

    concept: str
    name: str


@dataclass(frozen=True)
class Move:
    """Maps into a concept, or to "unlabelled" or "discarded"."""

    members: tuple[str, ...]
    to: str


@dataclass(frozen=True)
class Merge:
    """All maps of some concepts into another one, which keeps its name; the concepts are gone."""

    concepts: tuple[str, ...]
    into: str


@dataclass(frozen=True)
class Delete:
    """A concept is gone, and its maps are unlabelled again."""

    concept: str


@dataclass(frozen=True)
class Undo:
    """The latest change that stands is taken back."""


@dataclass(frozen=True)
class Redo:
    """The latest change that was taken back stands again, unless there was another change in between."""


@dataclass(frozen=True)
class Done:
    """The annotator says that the group is finished, or that it is not; no change, and so not undone."""

    done: bool


Action: TypeAlias = Create | Rename | Move | Merge | Delete | Undo | Redo | Done
_KINDS = {kind.__name__.lower(): kind for kind in (Create, Rename, Move, Merge, Delete, Undo, Redo, Done)}
_LISTS = ("members", "concepts")


def read_action(record: object) -> Action:
    """Returns the action of a JSON object such as `{"do": "rename", "concept": "c1", "name": "wing"}`.

    Raises:
        ActionRefusedError: it is none.

    >>> read_action({"do": "rename", "concept": "c1", "name": "  left   wing "})
    Rename(concept='c1', name='left wing')
    """
    if not isinstance(record, dict) or not isinstance(record.get("do"), str) or record["do"] not in _KINDS:
        raise ActionRefusedError("This is no action of this page.")
    kind, values = _KINDS[record["do"]], {name: value for name, value in record.items() if name != "do"}
    if set(values) != set(kind.__dataclass_fields__) or not all(_is_valid(*item) for item in values.items()):
        raise ActionRefusedError("This is no action of this page.")
    values |= {name: tuple(values[name]) for name in _LISTS if name in values}
    if "name" in values:
        values["name"] = tidy_name(values["name"])
    action: Action = kind(**values)
    return action


def as_record(action: Action) -> dict[str, Any]:
    """Returns the JSON object of an action.

    >>> as_record(Move(("a1", "a2"), "discarded"))
    {'do': 'move', 'members': ['a1', 'a2'], 'to': 'discarded'}
    """
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(action).items()}
    return {"do": type(action).__name__.lower(), **values}


def tidy_name(name: str) -> str:
    """Returns a name with single blanks and nothing that cannot be seen.

    Raises:
        ActionRefusedError: nothing is left, or too much.
    """
    seen = "".join(letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", name))
    tidy = " ".join(seen.split())
    if not 0 < len(tidy) <= MAX_NAME_LENGTH:
        raise ActionRefusedError(f"A concept needs a name of 1 to {MAX_NAME_LENGTH} letters.")
    return tidy


def name_key(name: str) -> str:
    """Returns what two names share that are the same but for case and blanks.

    >>> name_key("Left  WING") == name_key("left wing")
    True
    """
    return " ".join(name.casefold().split())


def _is_valid(name: str, value: object) -> bool:
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, bool if name == "done" else str)
