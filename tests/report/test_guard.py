"""The report says where a margin was broken, and draws what the guard saw."""

from pathlib import Path
from typing import Any

import pytest

from qscore.report.collect import CONTROL, REGULARIZED, EvaluatedEncoder
from qscore.report.guard import HEADER, guard_curves, guard_notes, guard_table
from qscore.report.page import write_report


def guard(*values: tuple[float | None, float], broken: dict[str, int], stopped: int | None = None) -> dict[str, Any]:
    curve = [
        {"epoch": epoch, "step": 5 * epoch, "knn_top1": knn, "rank_me": rank, "feature_std": 0.05}
        for epoch, (knn, rank) in enumerate(values)
    ]
    floors = {"knn_top1": 0.87, "rank_me": 20.0, "feature_std": 0.02}
    best = {"epoch": 0, "encoder": "best/encoder.safetensors", "ranked_by": "knn_top1"}
    return {"curve": curve, "floors": floors, "broken": broken, "best": best, "stopped_after": stopped}


@pytest.fixture
def encoders() -> list[EvaluatedEncoder]:
    healthy = guard((0.9, 40.0), (0.91, 41.0), (0.92, 39.0), broken={})
    harmed = guard((0.9, 40.0), (0.81, 30.0), broken={"knn_top1": 1}, stopped=1)
    return [
        EvaluatedEncoder("control", CONTROL, Path("a"), {"seed": 0}, {}, [], healthy),
        EvaluatedEncoder("Q-Score λ=9", REGULARIZED, Path("b"), {"seed": 0}, {}, [], harmed),
        EvaluatedEncoder("Q-Score λ=1", REGULARIZED, Path("c"), {"seed": 0}, {}, []),
    ]


def test_a_broken_margin_is_said_with_its_numbers_and_the_best_state(encoders: list[EvaluatedEncoder]) -> None:
    fall, end = guard_notes(encoders)
    assert fall.startswith("Q-Score λ=9, seed 0: ")
    assert "fell from 0.9 to 0.81 after epoch 1, below its margin of 0.87" in fall
    assert "of epoch 0, is in b/best/encoder.safetensors" in fall
    assert "ended by the guard after epoch 1" in end


def test_every_guarded_run_has_a_row(encoders: list[EvaluatedEncoder]) -> None:
    header, rows = guard_table(encoders)
    assert header == HEADER
    assert rows[0] == ["control, seed 0", "0.9 → 0.92", "40 → 39", "0.05 → 0.05", "0", "none"]
    assert rows[1][-1] == "kNN top-1, training images after epoch 1"
    assert len(rows) == 2


def test_every_curve_is_drawn_with_its_margin_and_a_cross_where_it_broke(encoders: list[EvaluatedEncoder]) -> None:
    accuracy = guard_curves(encoders).axes[0]
    assert [list(line.get_ydata()) for line in accuracy.lines[::2]][:1] == [[0.9, 0.91, 0.92]]
    crosses = [line for line in accuracy.lines if line.get_marker() == "X"]
    assert [(list(c.get_xdata()), list(c.get_ydata())) for c in crosses] == [([1], [0.81])]


def test_unlabelled_runs_have_no_accuracy(tmp_path: Path) -> None:
    unlabelled = guard((None, 40.0), (None, 10.0), broken={"rank_me": 1})
    encoder = EvaluatedEncoder("control", CONTROL, tmp_path, {"seed": 0}, {}, [], unlabelled)
    assert guard_table([encoder])[1][0][1] == "no labels"
    assert not guard_curves([encoder]).axes[0].lines
    page = write_report([encoder], tmp_path / "report").read_text()
    assert "RankMe fell from 40 to 10" in page
    assert page.count("data:image/png;base64,") == 1


def test_runs_without_a_guard_have_no_chapter(encoders: list[EvaluatedEncoder], tmp_path: Path) -> None:
    assert "epoch by epoch" not in write_report(encoders[2:], tmp_path).read_text()
