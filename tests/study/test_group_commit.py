"""Changes that are committed together are told apart, and none is told before it is kept."""

import asyncio
import sqlite3
from collections.abc import Callable

import pytest

from qscore.study.folder import Study
from qscore.study.group_commit import GroupCommit
from qscore.study.store import Store


def test_changes_at_once_share_few_commits_and_each_is_kept_when_it_is_told(make_study: Callable[..., Study]) -> None:
    store = Store(make_study())
    changes = GroupCommit(store.database)
    transactions: list[str] = []
    store.database._connection.set_trace_callback(transactions.append)

    async def add(number: int) -> None:
        person = await changes.run(lambda: store.annotators.add(f"person {number}"))
        found = store.annotators.get(person)  # read by another connection: committed
        assert found is not None
        assert found.name == f"person {number}"

    async def everyone() -> None:
        await asyncio.gather(*map(add, range(50)))

    asyncio.run(everyone())
    assert len(store.annotators.all()) == 50
    assert transactions.count("COMMIT") == 1, "all came in before the first was written"


def test_a_change_that_fails_is_undone_alone(make_study: Callable[..., Study]) -> None:
    store = Store(make_study(answers_per_trial=1))
    changes = GroupCommit(store.database)

    def too_many() -> None:
        with store.database.writing() as db:
            db.execute("INSERT INTO annotators (name, created) VALUES ('undone', 0)")
            db.execute("UPDATE trials SET answered = 2")

    async def both() -> list[object]:
        adding = changes.run(lambda: store.annotators.add("kept"))
        return await asyncio.gather(changes.run(too_many), adding, return_exceptions=True)

    refused, number = asyncio.run(both())
    assert isinstance(refused, sqlite3.IntegrityError)
    assert [(one.number, one.name) for one in store.annotators.all()] == [(number, "kept")]


def test_a_change_waits_for_another_server_that_writes_and_its_own_server_does_not(
    make_study: Callable[..., Study],
) -> None:
    study = make_study()
    store, other = Store(study), Store(study)
    changes = GroupCommit(store.database)

    async def both() -> int:
        other.database.begin()
        adding = asyncio.create_task(changes.run(lambda: store.annotators.add("second")))
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not adding.done()
        other.database.commit()
        return await adding

    assert asyncio.run(both()) == 1


def test_a_fault_of_ours_undoes_all_that_were_to_be_committed_with_it(make_study: Callable[..., Study]) -> None:
    store = Store(make_study())
    changes = GroupCommit(store.database)

    async def both() -> list[object]:
        adding = changes.run(lambda: store.annotators.add("together"))
        return await asyncio.gather(adding, changes.run(lambda: {}["missing"]), return_exceptions=True)

    assert [type(one) for one in asyncio.run(both())] == [KeyError, KeyError]
    assert store.annotators.all() == []
    with pytest.raises(KeyError), store.database.writing():
        raise KeyError
    assert store.annotators.add("afterwards") == 1
