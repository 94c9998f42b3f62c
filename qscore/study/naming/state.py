"""What stands on the naming page: the fold of an annotator's actions. No web, no files.

Every activation is in one concept, discarded, or else unlabelled. Names are unique but for case and blanks. A change
keeps the state before it, so that undoing is exact. `pages/naming-state.js` is the same fold in the browser.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from qscore.study.naming.actions import (
    DISCARDED,
    UNLABELLED,
    Action,
    ActionRefusedError,
    Create,
    Delete,
    Done,
    Merge,
    Move,
    Redo,
    Rename,
    Undo,
    name_key,
)

MAX_CONCEPTS = 200


@dataclass(frozen=True)
class Concept:
    """A named set of activations."""

    id: str
    name: str
    members: frozenset[str]


@dataclass(frozen=True)
class State:
    """Where the activations are; those in neither place are unlabelled. Concepts stand in the order of their making."""

    concepts: tuple[Concept, ...] = ()
    discarded: frozenset[str] = frozenset()

    @property
    def placed(self) -> frozenset[str]:
        """What is not unlabelled."""
        return self.discarded.union(*(concept.members for concept in self.concepts))


@dataclass(frozen=True)
class History:
    """The state, those before it and those that were taken back; the latest of each is last."""

    present: State = State()
    past: tuple[State, ...] = ()
    future: tuple[State, ...] = ()
    done: bool = False


def fold(actions: Iterable[tuple[int, Action]], activations: frozenset[str]) -> History:
    """Returns what numbered actions lead to.

    >>> history = fold([(1, Create("wing", ("a", "b"))), (2, Move(("a",), "discarded")), (3, Undo())], frozenset("abc"))
    >>> [(concept.id, concept.name, sorted(concept.members)) for concept in history.present.concepts]
    [('c1', 'wing', ['a', 'b'])]
    """
    history = History()
    for number, action in actions:
        history = step(history, number, action, activations)
    return history


def step(history: History, number: int, action: Action, activations: frozenset[str]) -> History:
    """Returns the history after one more action.

    `number` is the action's in its group, from 1, and names a new concept; `activations` are all of the group.

    Raises:
        ActionRefusedError: the state does not allow it.
    """
    past, present, future = history.past, history.present, history.future
    match action:
        case Done(done):
            return replace(history, done=done)
        case Undo():
            if not past:
                raise ActionRefusedError("There is nothing to undo.")
            return replace(history, past=past[:-1], present=past[-1], future=(*future, present))
        case Redo():
            if not future:
                raise ActionRefusedError("There is nothing to redo.")
            return replace(history, past=(*past, present), present=future[-1], future=future[:-1])
        case _:
            changed = _change(present, number, action, activations)
            return replace(history, past=(*past, present), present=changed, future=())


def _change(state: State, number: int, action: Action, activations: frozenset[str]) -> State:
    match action:
        case Create(name, members):
            _check_name(state, name, None)
            if len(state.concepts) == MAX_CONCEPTS:
                raise ActionRefusedError(f"There are {MAX_CONCEPTS} concepts, and no more is possible. Merge some.")
            made = replace(state, concepts=(*state.concepts, Concept(f"c{number}", name, frozenset())))
            return _move(made, frozenset(members), f"c{number}", activations)
        case Rename(concept, name):
            _check_name(state, name, _find(state, concept))
            return _replaced(state, lambda one: replace(one, name=name) if one.id == concept else one)
        case Move(members, to):
            return _move(state, frozenset(members), to, activations)
        case Merge(concepts, into):
            merged = [_find(state, concept) for concept in concepts]
            if not merged or len(set(concepts)) < len(concepts) or into in concepts:
                raise ActionRefusedError("Choose other concepts to merge.")
            inside: frozenset[str] = frozenset().union(*(one.members for one in merged))
            moved = _move(state, inside, _find(state, into).id, activations)
            return replace(moved, concepts=tuple(one for one in moved.concepts if one.id not in concepts))
        case Delete(concept):
            gone = _find(state, concept)
            return replace(state, concepts=tuple(one for one in state.concepts if one is not gone))
    raise AssertionError(action)


def _move(state: State, members: frozenset[str], to: str, activations: frozenset[str]) -> State:
    if not members <= activations:
        raise ActionRefusedError("One of these images is not of this group.")
    if to not in (UNLABELLED, DISCARDED):
        _find(state, to)
    moved = _replaced(state, lambda one: _put(one, members, is_there=one.id == to))
    return replace(moved, discarded=state.discarded | members if to == DISCARDED else state.discarded - members)


def _put(concept: Concept, members: frozenset[str], *, is_there: bool) -> Concept:
    if members <= concept.members if is_there else members.isdisjoint(concept.members):
        return concept  # the states of a long history share what stays
    return replace(concept, members=concept.members | members if is_there else concept.members - members)


def _replaced(state: State, change: Callable[[Concept], Concept]) -> State:
    return replace(state, concepts=tuple(change(concept) for concept in state.concepts))


def _find(state: State, concept: str) -> Concept:
    for one in state.concepts:
        if one.id == concept:
            return one
    raise ActionRefusedError("This concept is not there any more.")


def _check_name(state: State, name: str, own: Concept | None) -> None:
    if any(name_key(one.name) == name_key(name) for one in state.concepts if one is not own):
        raise ActionRefusedError(f"There is a concept “{name}” already.")
