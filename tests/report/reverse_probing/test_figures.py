"""What is drawn of reverse probes is what the results hold, and what is missing leaves a gap."""

from html import unescape
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from qscore.report.collect import BASELINE, CONTROL, REGULARIZED, EvaluatedEncoder
from qscore.report.page import write_report
from qscore.report.reverse_probing.added import added_groups
from qscore.report.reverse_probing.bridge import bridge_scatter
from qscore.report.reverse_probing.chapters import REVERSE_CHAPTERS
from qscore.report.reverse_probing.cumulative import cumulative_bars
from qscore.report.reverse_probing.overview import overview
from qscore.report.reverse_probing.scatter import published_scatter
from qscore.report.reverse_probing.sweep import k_sweep, told_apart
from qscore.report.reverse_probing.transfer import reverse_transfer
from tests.report.reverse_probing.planted import MEASURES, SCALE, moved, probed

TOP1 = MEASURES.index("top1")


def dots(axis: Axes) -> list[tuple[float, float]]:
    """Where the round marks of a panel lie."""
    found = [(line.get_xdata(), line.get_ydata()) for line in axis.lines if line.get_marker() == "o"]
    return [(float(x[0]), float(y[0])) for x, y in map(np.asarray, found) if len(x) == 1]


def test_own_and_shuffled_means_stand_on_the_row_of_their_encoder() -> None:
    encoders = [probed("a", level=1.0), probed("b", level=0.5)]
    panel = overview(encoders).axes[4]
    rows = sorted(dots(panel), key=lambda at: at[1])
    expected = [100 * e.results["reverse_probing"].metrics[f"{p}top1"] for e in encoders for p in ("", "shuffled/")]  # type: ignore[operator]
    assert [x for x, _ in rows] == pytest.approx(expected)
    assert [round(y) for _, y in rows] == [0, 0, 1, 1]


def test_bars_end_at_the_last_step_and_a_loss_is_narrow() -> None:
    encoder = probed(without=("cumulative_without",))
    _, top1 = cumulative_bars([encoder]).axes
    steps = 100 * encoder.array("reverse_probing", "cumulative")[:, :, TOP1].mean(1)
    bars = [(p.get_x() + p.get_width(), p.get_height()) for p in top1.patches]  # type: ignore[attr-defined]
    assert [end for end, _ in bars] == pytest.approx(list(steps))
    assert [height < 0.5 for _, height in bars] == [False, False, False, True]


def test_groups_are_drawn_beside_their_shuffled_selves() -> None:
    encoder = probed()
    (part,) = added_groups([encoder]).subfigs
    nats = sorted(dots(part.axes[0]), key=lambda at: at[1])
    own, shuffled = (encoder.array("reverse_probing", name)[..., 0].mean(1) for name in ("added", "added_shuffled"))
    assert [x for x, _ in nats] == pytest.approx([value for pair in zip(own, shuffled, strict=True) for value in pair])


def test_lines_over_k_are_means_over_clusterings() -> None:
    encoder = probed()
    encoder.array("reverse_probing", "by_k")[2, :, TOP1] = np.nan
    panel = k_sweep([encoder]).axes[4]
    line = panel.lines[0]
    assert list(line.get_xdata()) == [5, 10, 40, 80]  # type: ignore[arg-type]
    kept = encoder.array("reverse_probing", "by_k")[[0, 1, 3, 4], :, TOP1].mean(1)
    assert list(line.get_ydata()) == pytest.approx(list(100 * kept))  # type: ignore[arg-type]


def test_thirty_lines_are_told_apart() -> None:
    assert len(set(told_apart([probed(str(i)) for i in range(30)]))) == 30


def test_measured_encoders_are_placed_among_the_thirty_printed_ones() -> None:
    encoder = probed(linear=0.55)
    axis = published_scatter([encoder, probed("no linear probe", linear=None)]).axes[0]
    printed = [np.asarray(line.get_xdata()) for line in axis.lines if line.get_markerfacecolor() == "white"]
    assert sum(map(len, printed)) == 30
    (own,) = [line for line in axis.lines if line.get_marker() == "D"]
    assert list(own.get_xdata()) == pytest.approx([55])  # type: ignore[arg-type]
    said = [text.get_text() for text in axis.get_legend().get_texts()]  # type: ignore[union-attr]
    assert any("r = 0.963, slope 1.57" in text for text in said)


def test_misclassified_samples_are_marked() -> None:
    encoder = probed(num_samples=200)
    (axis,) = bridge_scatter([encoder]).axes
    right, wrong = (np.asarray(c.get_offsets()) for c in axis.collections)
    is_wrong = encoder.array("reverse_probing", "misclassified")
    assert (len(right), len(wrong)) == ((~is_wrong).sum(), is_wrong.sum())
    np.testing.assert_allclose(wrong[:, 1], encoder.array("reverse_probing", "surprise")[is_wrong])
    assert len(bridge_scatter([probed(num_samples=2500, without=("misclassified",))]).axes[0].collections) == 1


def test_a_data_set_that_an_encoder_has_not_seen_leaves_its_row_empty() -> None:
    encoders = [moved(probed("a"), "stl10", "cars"), moved(probed("b"), "stl10")]
    axes = reverse_transfer(encoders).axes
    top1 = SCALE[TOP1]
    assert sorted(x for x, _ in dots(axes[3])) == pytest.approx(sorted(2 * [30 * top1, 70 * top1]), rel=0.03)
    assert {round(y) for _, y in dots(axes[7])} == {0}


def thirty() -> list[EvaluatedEncoder]:
    name = "a rather long name of a run with its method and its data, number"
    return [moved(probed(f"{name} {i}", seed=i, level=0.3 + 0.02 * i), "places365-standard-large") for i in range(30)]


CASES = {
    "all": [moved(probed(role, role=role), "stl10") for role in (BASELINE, CONTROL, REGULARIZED)],
    "one clustering": [probed(num_clusterings=1, seed=None)],
    "below chance": [probed(level=-0.02)],
    "no pairs": [probed(num_pairs=0)],
    "no images": [probed(without=("pair_images", "pair_num_images"))],
    "no concepts of pairs": [probed(without=("pair_concepts", "pair_theta"))],
    "metrics alone": [probed(without=("c", "a", "l", "k", "b", "p", "q", "measures"))],
    "no shuffled row": [probed(without=("shuffled", "added_shuffled"), without_metrics=("shuffled",))],
    "no bridge metrics": [probed(without_metrics=("bridge",))],
    "parts in one of two": [probed("a", without=("by_k", "pair", "added")), probed("b")],
}


@pytest.mark.parametrize("case", CASES)
def test_every_chapter_is_drawn_whatever_is_missing(case: str, tmp_path: Path) -> None:
    encoders = CASES[case]
    page = unescape(write_report(encoders, tmp_path).read_text())
    for chapter in REVERSE_CHAPTERS:
        is_there = any(chapter.has(e) for e in encoders)
        assert (chapter.title in page) == is_there
        assert (tmp_path / f"{chapter.name}.png").exists() == is_there
        assert (tmp_path / f"{chapter.name}.csv").exists() == (is_there and chapter.csv is not None)
    assert ">nan" not in page
    assert "None<" not in page


@pytest.mark.slow
def test_thirty_encoders_with_long_names_are_drawn() -> None:
    encoders = thirty()
    for chapter in REVERSE_CHAPTERS:
        figure = chapter.draw(encoders)
        figure.draw_without_rendering()
        assert figure.get_size_inches()[1] * 150 < 2**15  # what browsers show of a picture
