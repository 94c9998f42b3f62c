"""The fold keeps every activation in one place, undoes exactly, and gives the same again."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qscore.study.naming.actions import (
    ActionRefusedError,
    Create,
    Delete,
    Done,
    Merge,
    Move,
    Redo,
    Rename,
    Undo,
    as_record,
    name_key,
    read_action,
)
from qscore.study.naming.state import MAX_CONCEPTS, History, State, fold, step
from tests.study.naming.playing import ACTIVATIONS, play

ALL = frozenset(ACTIVATIONS)


def numbered(records: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    return [(number, read_action(record)) for number, record in enumerate(records, 1)]


def dissolved(history: History) -> tuple[dict[str, str], dict[str, str]]:
    """The names of concepts, and the place of each activation that is somewhere."""
    state = history.present
    places = {key: concept.id for concept in state.concepts for key in concept.members}
    return {one.id: one.name for one in state.concepts}, places | dict.fromkeys(state.discarded, "discarded")


def slow_fold(records: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """The rules once more: undone actions are dropped first, then each activation goes from place to place."""
    standing: list[tuple[int, dict[str, Any]]] = []
    undone: list[tuple[int, dict[str, Any]]] = []
    for number, record in enumerate(records, 1):
        if record["do"] == "undo":
            undone.append(standing.pop())
        elif record["do"] == "redo":
            standing.append(undone.pop())
        elif record["do"] != "done":
            standing.append((number, record))
            undone = []
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    for number, record in standing:
        if record["do"] == "create":
            names[f"c{number}"] = " ".join(record["name"].split())
            places |= dict.fromkeys(record["members"], f"c{number}")
        if record["do"] == "rename":
            names[record["concept"]] = " ".join(record["name"].split())
        if record["do"] == "move":
            places |= dict.fromkeys(record["members"], record["to"])
        gone = record["concepts"] if record["do"] == "merge" else [record.get("concept")] * (record["do"] == "delete")
        for concept in gone:
            del names[concept]
            moved = {key for key, place in places.items() if place == concept}
            places |= dict.fromkeys(moved, record.get("into", "unlabelled"))
    return names, {key: place for key, place in places.items() if place != "unlabelled"}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_actions_keep_the_invariants_and_give_what_the_rules_say(data: st.DataObject) -> None:
    records, history = play(data)
    state = history.present
    assert sum(len(one.members) for one in state.concepts) + len(state.discarded) == len(state.placed)
    assert state.placed <= ALL
    assert len({name_key(one.name) for one in state.concepts}) == len(state.concepts)
    assert dissolved(history) == slow_fold(records)
    assert fold(numbered(records), ALL) == history
    assert numbered([as_record(action) for _, action in numbered(records)]) == numbered(records)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_undoing_everything_is_the_start_and_doing_it_again_is_the_end(data: st.DataObject) -> None:
    records, history = play(data)
    end = history = replace(history, future=())
    number, count = len(records), len(history.past)
    for _ in range(count):
        number += 1
        history = step(history, number, Undo(), ALL)
    assert history.present == State()
    assert history.past == ()
    for _ in range(count):
        number += 1
        history = step(history, number, Redo(), ALL)
    assert history == end


def test_a_change_after_undoing_ends_what_could_be_done_again() -> None:
    history = fold([(1, Create("wing", ("a",))), (2, Undo()), (3, Create("beak", ("a",)))], ALL)
    assert history.future == ()
    assert [concept.id for concept in history.present.concepts] == ["c3"]


def test_finishing_is_no_change_and_is_not_undone() -> None:
    history = fold([(1, Create("wing", ("a",))), (2, Done(True)), (3, Undo())], ALL)
    assert history.done
    assert history.present == State()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (Create("LEFT  wing", ("a",)), "already"),
        (Rename("c2", "left wing"), "already"),
        (Rename("c9", "tail"), "not there"),
        (Move(("a",), "c9"), "not there"),
        (Move(("a", "z"), "discarded"), "not of this group"),
        (Create("tail", ("z",)), "not of this group"),
        (Merge(("c1", "c2"), "c2"), "other concepts"),
        (Merge((), "c2"), "other concepts"),
        (Merge(("c1",), "c9"), "not there"),
        (Delete("discarded"), "not there"),
        (Redo(), "nothing to redo"),
    ],
)
def test_what_the_state_does_not_allow_is_refused_with_a_message(action: Any, message: str) -> None:
    history = fold([(1, Create("Left Wing", ("a",))), (2, Create("beak", ("b",)))], ALL)
    with pytest.raises(ActionRefusedError, match=message):
        step(history, 3, action, ALL)
    assert step(history, 3, Rename("c1", "left WING"), ALL).present.concepts[0].name == "left WING", (
        "its own name is free"
    )


def test_there_is_an_end_of_concepts() -> None:
    history = fold([(number, Create(f"n{number}", ())) for number in range(1, MAX_CONCEPTS + 1)], ALL)
    with pytest.raises(ActionRefusedError, match="no more"):
        step(history, MAX_CONCEPTS + 1, Create("one more", ()), ALL)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(record=JSON, kind=st.sampled_from(["create", "move", "merge", "done", "undo", "x"]), own=st.data())
def test_no_json_makes_reading_fail_otherwise_than_refused(record: Any, kind: str, own: st.DataObject) -> None:
    names = ("name", "members", "to", "concepts", "into", "done")
    record = own.draw(st.just(record) | st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON)).map(
        lambda values: {**values, "do": kind}))  # fmt: skip
    with contextlib.suppress(ActionRefusedError):
        read_action(record)
