"""A disk that fills while people answer: SQLite, whose file may not grow, calls it full as well."""

import sqlite3
from pathlib import Path

import pytest

from qscore.study.store import Store
from tests.faults.checks import broken_files
from tests.study.conftest import write_study


def test_what_was_confirmed_before_the_disk_was_full_is_kept_and_there_is_room_again(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    store = Store(study)
    confirmed = [store.annotators.add("before")]
    connection = store.database._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    def fill() -> None:
        for _ in range(500):
            confirmed.append(store.annotators.add("a name of some length" * 10))

    with pytest.raises(sqlite3.OperationalError, match="full"):
        fill()
    connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    confirmed.append(store.annotators.add("after"))
    assert {person.number for person in Store(study).annotators.all()} == set(confirmed)
    assert broken_files(tmp_path) == []
