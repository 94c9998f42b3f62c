"""`metrics.csv` has every row that was logged, once, wherever a signal strikes and whatever could not be written."""

import csv
import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qscore.application import whole_files
from qscore.application.interruptions import held_back, terminable
from qscore.application.whole_files import WholeCSVLogger
from qscore.files import write_text, writing_told

ROWS = [{"a": 0.0}, {"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]  # the third needs no new header


def strike() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def written(folder: Path) -> list[tuple[str, ...]]:
    with (folder / "metrics.csv").open(newline="") as file:
        found = list(csv.DictReader(file, restval="torn"))
    return [(row["step"], row["a"], row["b"]) for row in found]


def struck_write_text(*arguments: Any) -> None:
    strike()
    write_text(*arguments)
    strike()


@contextmanager
def struck_writing_told(file: Path) -> Iterator[None]:
    strike()
    with writing_told(file):
        yield
    strike()


@pytest.mark.parametrize(
    ("part", "struck", "times"), [("write_text", struck_write_text, 2), ("writing_told", struck_writing_told, 1)]
)
def test_a_signal_within_a_save_loses_doubles_and_tears_no_row(
    part: str, struck: Any, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = WholeCSVLogger(tmp_path)
    monkeypatch.setattr(whole_files, part, struck)
    statuses = []
    for step, row in enumerate(ROWS):
        try:
            with terminable():
                logger.log_metrics(row, step)
        except SystemExit as stop:
            statuses.append(stop.code)
            logger.finalize("failed")
    assert statuses == [128 + signal.SIGTERM] * times
    assert written(tmp_path) == [("0", "0.0", ""), ("1", "1.0", "2.0"), ("2", "3.0", "4.0")]


@pytest.mark.parametrize("failing", [0, 1])
def test_a_row_that_found_no_room_is_written_once_there_is_room(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = WholeCSVLogger(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for step, row in enumerate(ROWS):
        if step != failing:
            logger.log_metrics(row, step)
            continue
        with monkeypatch.context() as patch:
            patch.setattr(whole_files, "write_text", full)
            with pytest.raises(OSError, match="No space"):
                logger.log_metrics(row, step)
        logger.finalize("failed")
    assert written(tmp_path) == [("0", "0.0", ""), ("1", "1.0", "2.0"), ("2", "3.0", "4.0")]


def test_a_signal_that_was_held_back_comes_after_the_block() -> None:
    done = []

    def work() -> None:
        with terminable():
            with held_back():
                strike()
                done.append("block")
            done.append("behind")

    with pytest.raises(SystemExit):
        work()
    assert done == ["block"]


def test_a_signal_that_was_lost_in_a_finalizer_does_not_rename_a_later_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loses:
        def __del__(self) -> None:
            strike()

    def work() -> None:
        with terminable():
            fleeting = Loses()
            del fleeting
            raise RuntimeError("a real one")

    lost: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    with pytest.raises(RuntimeError, match="a real one"):
        work()
    assert len(lost) == 1
