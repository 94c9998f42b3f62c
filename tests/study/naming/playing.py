"""Any sequence of actions, possible ones and others, drawn by hypothesis."""

from typing import Any

from hypothesis import strategies as st

from qscore.study.naming.actions import ActionRefusedError, read_action
from qscore.study.naming.state import History, step

NAMES = ("wing", "Wing ", "WING", "beak", "long  beak", "straße", "", "x" * 61)
ACTIVATIONS = tuple("abcdefghij")
KINDS = ("create", "create", "rename", "move", "move", "merge", "delete", "undo", "undo", "redo", "done")


def play(data: st.DataObject, max_size: int = 25) -> tuple[list[dict[str, Any]], History]:
    """Returns the actions that were possible, numbered by their places, and the history that they led to, live."""
    kept: list[dict[str, Any]] = []
    history = History()
    for _ in range(data.draw(st.integers(0, max_size))):
        record = data.draw(records(history))
        try:
            history = step(history, len(kept) + 1, read_action(record), frozenset(ACTIVATIONS))
        except ActionRefusedError:
            continue
        kept.append(record)
    return kept, history


@st.composite
def records(draw: st.DrawFn, history: History) -> dict[str, Any]:
    """Returns an action, most often one of the concepts that are there."""
    ids = st.sampled_from([*(concept.id for concept in history.present.concepts), "c1", "c99"])
    members = st.lists(st.sampled_from(ACTIVATIONS), max_size=5, unique=True)
    kind = draw(st.sampled_from(KINDS))
    values: dict[str, Any] = {
        "create": {"name": st.sampled_from(NAMES), "members": members},
        "rename": {"concept": ids, "name": st.sampled_from(NAMES)},
        "move": {"members": members, "to": ids | st.sampled_from(["unlabelled", "discarded"])},
        "merge": {"concepts": st.lists(ids, max_size=2, unique=True), "into": ids},
        "delete": {"concept": ids},
        "done": {"done": st.booleans()},
    }.get(kind, {})
    return {"do": kind, **{name: draw(strategy) for name, strategy in values.items()}}
