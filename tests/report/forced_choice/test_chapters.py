"""What is shown of the automatic evaluation of groups is what its results hold, and what is missing leaves a gap."""

from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from qscore.report.collect import BASELINE, REGULARIZED, EvaluatedEncoder
from qscore.report.forced_choice.caption_table import captions_table
from qscore.report.forced_choice.chapters import FORCED_CHOICE_CHAPTERS
from qscore.report.forced_choice.feature_scatter import feature_csv, feature_table
from qscore.report.forced_choice.group_scatter import group_cards, group_csv, group_scatter
from qscore.report.forced_choice.likeness import likeness_table
from qscore.report.forced_choice.proxy_table import proxy_figure, proxy_table
from qscore.report.page import write_report
from tests.report.forced_choice.planted import LEVELS, evaluated

CASES = {
    "before and after": [evaluated("before", role=BASELINE), evaluated("after", role=REGULARIZED, num_groups=5)],
    "one without the evaluation": [replace(evaluated("before", role=BASELINE), results={}), evaluated("after")],
    "no labels": [evaluated(labels=False)],
    "no images": [evaluated(without=("examples",))],
    "no features": [evaluated(without=("feature",), without_metrics=("features",))],
    "no captions of the pool": [evaluated(without=("binary", "top1"), without_metrics=("captions", "rouge", "random"))],
    "metrics alone": [evaluated(without=("",))],
}


@pytest.mark.parametrize("case", CASES)
def test_every_chapter_is_drawn_whatever_is_missing(case: str, tmp_path: Path) -> None:
    encoders = CASES[case]
    page = unescape(write_report(encoders, tmp_path).read_text())
    for chapter in FORCED_CHOICE_CHAPTERS:
        is_there = any(chapter.has(e) for e in encoders)
        assert (chapter.title in page) == is_there
        assert (tmp_path / f"{chapter.name}.png").exists() == is_there
        assert (tmp_path / f"{chapter.name}.csv").exists() == is_there
    assert ">nan" not in page
    assert "None<" not in page


def test_table_3_has_every_kind_of_description_and_chance() -> None:
    encoder = evaluated(num_groups=20)
    header, rows = proxy_table([encoder])
    assert header[3:] == ["Top-1 (%)", "Top-5 (%)", "Binary (%)", "R@1 (%)", "R@5 (%)"]
    assert [row[5] for row in rows] == [
        *(f"{100 * level:.1f}\u00a0±\u00a00.4" for level in LEVELS.values() if level),
        "–",
        "50.0",
    ]
    assert rows[-1][2:] == ["chance", "5.0", "25.0", "50.0", "8.0", "31.0"]
    assert rows[-2][3:] == ["–", "–", "–", "66.0", "70.0"]
    older = proxy_table([evaluated(without_metrics=("chance",))])[1]
    assert older[-1][2:] == ["chance", "–", "–", "50.0", "–", "–"]


def test_chance_is_drawn_where_it_is() -> None:
    binary, top1 = proxy_figure([evaluated(num_groups=20)]).axes
    assert [line.get_xdata()[0] for line in binary.lines if line.get_linestyle() == "--"] == [50]  # type: ignore[index]
    assert [line.get_xdata()[0] for line in top1.lines if line.get_linestyle() == ":"] == [5]  # type: ignore[index]


def test_dots_lie_at_purity_and_proxy_of_every_group_once() -> None:
    encoder = evaluated()
    (axis,) = group_scatter([encoder]).axes
    drawn = np.concatenate([np.asarray(dots.get_offsets()) for dots in axis.collections])
    expected = np.stack([encoder.array("forced_choice", name) for name in ("purity", "binary")], 1)
    assert np.sort(drawn, 0) == pytest.approx(np.sort(expected, 0))
    assert axis.get_xlabel() == "purity"
    assert group_scatter([evaluated(labels=False)]).axes[0].get_xlabel() == "samples of the group"


def test_cards_are_those_chosen_for_trials_the_purest_first() -> None:
    cards = group_cards([evaluated()])
    assert [card.title for card in cards] == [f"Group {group}" for group in (10, 8, 6, 4, 2, 0)]
    assert cards[0].descriptions[0] == ("automatic", "a caption of group 10")
    assert cards[0].nearest == "Nearest group: 8"
    assert cards[0].picture.startswith("data:image/jpeg;base64,")
    assert cards[-1].nearest == cards[-1].nearest_picture == ""
    assert ("Mean Q", "0.200") in cards[-1].facts
    assert "Information" not in dict(cards[0].facts)
    titles = [card.title for card in cards]
    assert [card.title for card in group_cards([evaluated(labels=False)])] == titles[::-1]  # from no range of purity
    older = evaluated()
    del older.results["forced_choice"].arrays["chosen"]
    assert [card.title for card in group_cards([older])] == titles
    (axis,) = group_scatter([evaluated(labels=False)]).axes
    assert [len(np.asarray(dots.get_offsets())) for dots in axis.collections] == [6, 6]
    many = group_cards([evaluated(str(i), num_groups=60) for i in range(3)])
    assert len(many) == 60
    assert [card.title for card in many[:20:19]] == ["Group 58", "Group 0"]


def test_tables_of_features_captions_and_labels() -> None:
    encoder = evaluated()
    _, (row,) = feature_table([encoder])
    assert row[1:] == ["9, 6", "80.0", "70.0", "70.0", "–", "+10.0 [+4.0,\u00a0+16.0]", "+4.0 [-2.0,\u00a0+10.0]"]
    assert len(feature_csv([encoder])[1]) == 15
    assert [row[2:] for row in captions_table([encoder])[1]] == [
        ["7", "5", "1", "an object", "6"],
        ["", "", "2", "a dog in a dog", "2"],
    ]
    assert likeness_table([encoder])[1] == [["run, seed 0", "k-means, 12", "labels", "70.0", "60.0", "50.0", "0.800"]]
    assert len(group_csv([encoder])[1]) == 12


def test_the_paper_s_tables_unfold_as_printed(tmp_path: Path) -> None:
    encoders: list[EvaluatedEncoder] = [evaluated()]
    page = unescape(write_report(encoders, tmp_path).read_text())
    assert page.count("What the paper prints: table") == 3
    for printed in ("91.18\u00a0±\u00a00.07", "<td>19.10</td>", "<td>ImageNet–SeLa</td>", "a monkey sitting in a tree"):
        assert printed in page
    assert (tmp_path / "laina2020_table5.csv").read_text().count("\n") == 11


def test_table_4_sets_encoders_beside_one_another_where_they_grouped_the_same_images() -> None:
    encoders = [evaluated(name, images="these") for name in ("before", "after")] + [evaluated("other", images="those")]
    for encoder, clusters in zip(encoders, ([0, 0, 1, 1], [5, 5, 3, 3], [0, 1, 0, 1]), strict=True):
        encoder.results["forced_choice"].arrays["clusters"] = np.array(clusters)
    beside = {(row[0], row[2]): row[3:6] for row in likeness_table(encoders)[1]}
    assert beside["before, seed 0", "after, seed 0"] == ["100.0", "100.0", "100.0"]
    assert len(beside) == 4  # three beside labels
