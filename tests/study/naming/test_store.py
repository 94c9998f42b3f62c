"""Actions are kept once each and in order, whatever the browsers and servers do at once."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from qscore.errors import UserError
from qscore.study.group_commit import GroupCommit
from qscore.study.naming import folding
from qscore.study.naming.folder import NamingStudy, load_naming_study
from qscore.study.naming.relations import Relations
from qscore.study.naming.state import History, step
from qscore.study.naming.store import NamingStore
from tests.study.conftest import Clock

MakeNaming = Callable[..., NamingStudy]


def begin(store: NamingStore) -> tuple[int, str, list[str]]:
    """A new annotator, the first group, and its keys."""
    annotator = store.annotators.add("")
    group = store.groups(annotator)[0]
    assert store.open(annotator, group.key)
    return annotator, group.key, sorted(group.keys)


def do(store: NamingStore, annotator: int, group: str, number: int, record: dict[str, Any], client_id: str = "") -> str:
    return store.append(annotator, group, number, client_id or f"client-{number}-{record}"[:40], record).outcome


def create(name: str, *members: str) -> dict[str, Any]:
    return {"do": "create", "name": name, "members": list(members)}


def test_an_action_sent_twice_is_kept_once_and_one_out_of_order_not_at_all(make_naming: MakeNaming) -> None:
    store = NamingStore(make_naming())
    who, group, keys = begin(store)
    wing = create("wing", keys[0])
    assert [do(store, who, group, 1, wing, "client-0") for _ in range(3)] == ["kept", "repeated", "repeated"]
    assert do(store, who, group, 1, create("beak")) == "stale"
    assert do(store, who, group, 3, create("beak")) == "stale"
    assert do(store, who, group, 2, create("Wing")) == "refused"
    assert do(store, who, group, 2, create("beak", keys[0])) == "kept"
    assert do(store, who, group, 1, wing, "client-0") == "repeated"
    assert [entry["action"]["name"] for entry in store.log(who, group)] == ["wing", "beak"]
    assert [sorted(one.members) for one in store.history(who, group).present.concepts] == [[], [keys[0]]]


def test_annotators_and_groups_do_not_touch_one_another(make_naming: MakeNaming) -> None:
    store = NamingStore(make_naming())
    first, group, keys = begin(store)
    second = store.annotators.add("")
    other = next(key for key in store.study.groups if key != group)
    assert do(store, first, group, 1, create("wing", *keys)) == "kept"
    assert do(store, second, group, 1, create("wing", keys[0])) == "kept"
    assert do(store, first, other, 1, create("wing", keys[0])) == "refused", "of another group"
    assert [len(store.history(who, group).present.placed) for who in (first, second)] == [len(keys), 1]
    assert not store.log(first, other)


def test_two_servers_at_once_keep_every_number_once(make_naming: MakeNaming) -> None:
    study = make_naming()
    servers = [NamingStore(study), NamingStore(study)]
    who, group, keys = begin(servers[0])
    kept: list[int] = []

    def work(store: NamingStore, own: int) -> None:
        for turn in range(30):
            number = len(store.log(who, group)) + 1
            place = ("discarded", "unlabelled")[turn % 2]
            record = {"do": "move", "members": [keys[(own + turn) % len(keys)]], "to": place}
            if do(store, who, group, number, record, f"client-{own}-{turn}") == "kept":
                kept.append(number)

    threads = [threading.Thread(target=work, args=(server, i)) for i, server in enumerate(servers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept) == list(range(1, len(kept) + 1)) == [entry["number"] for entry in servers[0].log(who, group)]
    for i, server in enumerate(servers):  # each goes on from what the other did
        assert do(server, who, group, len(kept) + 1 + i, create(f"by server {i}")) == "kept"


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the actions that are folded from what is written."""
    found: list[int] = []

    def counted(history: History, number: int, *rest: Any) -> History:
        found.append(number)
        return step(history, number, *rest)

    monkeypatch.setattr(folding, "step", counted)
    return found


def test_every_action_is_folded_once_whoever_asks(make_naming: MakeNaming, folds: list[int]) -> None:
    study = make_naming(9)
    store = NamingStore(study)
    who, group, keys = begin(store)
    for number in range(1, 6):
        assert do(store, who, group, number, create(f"n{number}", keys[number])) == "kept"
    assert folds == [], "a server goes on from what it kept"
    other = NamingStore(study)
    relations = Relations(other)
    for _ in range(3):
        assert len(other.history(who, group).present.concepts) == 5
        assert relations.pairs() == []
        assert do(other, who, group, 3, create("late"), "late") == "stale"
        assert do(other, who, group, 6, create("n1"), "again") == "refused"
    assert folds == [1, 2, 3, 4, 5]
    assert do(store, who, group, 6, create("n6")) == "kept"
    assert len(other.history(who, group).present.concepts) == 6
    assert folds == [1, 2, 3, 4, 5, 6]


def test_a_reader_beside_a_writer_folds_nothing_again(make_naming: MakeNaming, folds: list[int]) -> None:
    store = NamingStore(make_naming(9))
    who, group, _ = begin(store)
    assert do(store, who, group, 1, create("wing")) == "kept"
    assert do(store, who, group, 2, create("beak")) == "kept"
    store.database.begin()
    with store.database.shared():
        assert do(store, who, group, 3, create("tail")) == "kept"
        assert len(store.history(who, group).present.concepts) == 2, "not committed"
    store.database.commit()
    assert len(store.history(who, group).present.concepts) == 3
    assert folds == []


def test_what_is_kept_of_histories_has_an_end(
    make_naming: MakeNaming, folds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "_MAX_STATES", 3)
    store = NamingStore(make_naming(9))
    first, group, _ = begin(store)
    for who in (first, store.annotators.add("")):
        for number in (1, 2):
            assert do(store, who, group, number, create(f"n{number}")) == "kept"
        assert store.is_folded(who, group)
    assert not store.is_folded(first, group)
    assert len(store.history(first, group).present.concepts) == 2
    assert folds == [1, 2]


def test_an_action_whose_transaction_was_undone_leaves_no_trace(make_naming: MakeNaming) -> None:
    study = make_naming()
    store, other = NamingStore(study), NamingStore(study)
    who, group, keys = begin(store)
    assert do(store, who, group, 1, create("wing", keys[0])) == "kept"
    store.database.begin()
    with store.database.shared():
        assert do(store, who, group, 2, create("beak", keys[0])) == "kept", "as a part of the transaction"
    store.database.undo()
    assert do(store, who, group, 3, create("beak")) == "stale"
    assert do(other, who, group, 2, create("tail", keys[1])) == "kept"
    assert do(store, who, group, 3, create("beak", keys[1])) == "kept"
    assert [one.name for one in store.history(who, group).present.concepts] == ["wing", "tail", "beak"]


def test_places_hold_for_changes_that_are_written_together(make_naming: MakeNaming) -> None:
    store = NamingStore(make_naming(9, annotators_per_group=1))
    people, group = [store.annotators.add("") for _ in range(3)], next(iter(store.study.groups))

    async def open_at_once() -> list[bool]:
        changes = GroupCommit(store.database)
        return await asyncio.gather(*(changes.run(lambda who=who: store.open(who, group)) for who in people))

    assert sum(asyncio.run(open_at_once())) == 1


def test_only_so_many_name_a_group_and_a_place_without_an_action_is_free_again(
    make_naming: MakeNaming, clock: Clock
) -> None:
    store = NamingStore(make_naming(9, annotators_per_group=1, reservation_minutes=10), clock)
    slow, quick = store.annotators.add(""), store.annotators.add("")
    group = next(iter(store.study.groups))
    assert [store.open(slow, group), store.open(quick, group)] == [True, False]
    assert store.groups(quick) == []
    clock.now += 601
    assert store.open(quick, group)
    assert do(store, quick, group, 1, create("wing")) == "kept"
    assert do(store, slow, group, 1, create("wing")) == "closed"
    clock.now += 10**6
    assert not store.open(slow, group), "who did something keeps the place"


def test_a_closed_link_has_no_place_unless_its_naming_is_finished(make_naming: MakeNaming) -> None:
    store = NamingStore(make_naming(9, annotators_per_group=1))
    (first, group, keys), second, third = begin(store), store.annotators.add(""), store.annotators.add("")
    assert do(store, first, group, 1, create("wing", keys[0])) == "kept"
    assert not store.open(second, group)
    store.annotators.revoke(first)
    assert [one.key for one in store.groups(second)] == [group]
    assert store.open(second, group)
    for number, done in enumerate((True, False, True), 1):
        assert do(store, second, group, number, {"do": "done", "done": done}) == "kept"
    store.annotators.revoke(second)
    assert not store.open(third, group), "what is finished counts"


def test_names_are_asked_once_and_only_where_sets_meet(make_naming: MakeNaming) -> None:
    store = NamingStore(make_naming(9, confirmed_by="annotators"))
    relations = Relations(store)
    first, group, keys = begin(store)
    second = store.annotators.add("")
    for who, names in (
        (first, {"Wing": keys[:3], "beak": keys[3:5]}),
        (second, {"wing": keys[:1], "Left wing": keys[1:4]}),
    ):
        for number, (name, members) in enumerate(names.items(), 1):
            do(store, who, group, number, create(name, *members))
    pairs = relations.pairs()
    assert [(pair.name_a, pair.name_b) for pair in pairs] == [("beak", "Left wing"), ("Left wing", "Wing")]
    assert pairs[1].members_b == frozenset(keys[:3]), "whoever gave the name"
    relations.confirm(None, pairs[1], "exact")
    relations.confirm(None, pairs[1], "subset")
    relations.confirm(second, pairs[1], "different")
    name = store.study.groups[group].name
    shared = {"group": name, "name_a": "left wing", "name_b": "wing"}
    assert relations.table() == [
        {**shared, "relation": "subset", "confirmed_by": "owner"},
        {**shared, "relation": "different", "confirmed_by": second},
    ]
    with pytest.raises(ValueError, match="expected one of"):
        relations.confirm(None, pairs[0], "similar")


def test_who_has_seen_others_names_names_no_more(make_naming: MakeNaming) -> None:
    store = NamingStore(make_naming(9, confirmed_by="annotators"))
    relations = Relations(store)
    who, group, _ = begin(store)
    assert not relations.may_judge(who), "not chosen"
    relations.choose_judge(who)
    relations.choose_judge(99)
    assert relations.judges() == {who}
    assert not relations.may_judge(who), "not finished"
    assert do(store, who, group, 1, {"do": "done", "done": True}) == "kept"
    assert relations.may_judge(who)
    assert do(store, who, group, 2, create("wing")) == "kept"
    relations.look(who)
    assert do(store, who, group, 3, create("beak")) == "closed"


def test_what_is_no_naming_study_is_one_clear_message(make_naming: MakeNaming) -> None:
    folder = make_naming().frame.folder
    lines = (folder / "naming.jsonl").read_text()
    for broken, message in (
        (lines + "{}\n", "not a naming study"),
        (lines.replace("group", "grp"), "not a naming study"),
        ("", "no activation"),
    ):
        (folder / "naming.jsonl").write_text(broken)
        with pytest.raises(UserError, match=message):
            load_naming_study(folder)
    (folder / "naming.jsonl").write_text(lines)
    next((folder / "images").iterdir()).unlink()
    with pytest.raises(UserError, match="lacks 1 images"):
        load_naming_study(folder)
    (folder / "naming.jsonl").unlink()
    with pytest.raises(UserError, match=r"no naming\.jsonl"):
        load_naming_study(folder)
