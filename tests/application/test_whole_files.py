"""`metrics.csv` has every row that was logged, once, wherever a signal strikes."""

import csv
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from qscore.application import whole_files
from qscore.application.interruptions import held_back
from qscore.application.whole_files import WholeCSVLogger


@pytest.fixture(autouse=True)
def _stoppable() -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(signum)

    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


def strike() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("part", ["write_text", "writing_told"])
@pytest.mark.parametrize("comes", ["before", "after"])
def test_a_signal_within_a_save_loses_doubles_and_tears_no_row(
    part: str, comes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two rows come with a new header, the third is added behind them."""
    logger = WholeCSVLogger(tmp_path)
    through = getattr(whole_files, part)

    def struck(*arguments: object) -> object:
        if comes == "before":
            strike()
        found = through(*arguments)
        if comes == "after":
            strike()
        return found

    monkeypatch.setattr(whole_files, part, struck)
    rows = [{"a": 0.0}, {"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]
    stopped = 0
    for step, row in enumerate(rows):
        try:
            logger.log_metrics(row, step)
        except SystemExit:
            stopped += 1
            logger.finalize("failed")
    assert stopped == {"write_text": 2, "writing_told": 1}[part]
    with (tmp_path / "metrics.csv").open(newline="") as file:
        found = list(csv.DictReader(file, restval="torn"))
    assert [(row["step"], row["a"], row["b"]) for row in found] == [
        ("0", "0.0", ""),
        ("1", "1.0", "2.0"),
        ("2", "3.0", "4.0"),
    ]


def test_a_signal_that_was_held_back_comes_after_the_block() -> None:
    done = []

    def work() -> None:
        with held_back():
            strike()
            done.append("block")
        done.append("behind")

    with pytest.raises(SystemExit):
        work()
    assert done == ["block"]
