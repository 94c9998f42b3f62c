"""The page of a study says what people said, in the paper's layout, whatever they were asked."""

import csv
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from qscore.interpretability.forced_choice.answers.people import people
from qscore.interpretability.forced_choice.questions.group_facts import GroupFacts, StudyGroups
from qscore.report.forced_choice.study import Study
from qscore.report.forced_choice.study_cards import study_cards
from qscore.report.forced_choice.study_chapters import STUDY_CHAPTERS
from qscore.report.forced_choice.study_counts import comparison_csv, comparison_table
from qscore.report.forced_choice.study_features import features_csv, features_table
from qscore.report.forced_choice.study_page import write_study_report
from qscore.report.forced_choice.study_purity import by_purity, fig2_columns
from qscore.report.forced_choice.study_ratings import ratings_figure, ratings_table
from qscore.report.forced_choice.study_tables import coherence_table, describability_table
from qscore.report.published.counts import COHERENCE_TABLE, load_counts
from qscore.results import Result
from tests.interpretability.forced_choice.printed import CELLS
from tests.interpretability.forced_choice.recorded import Record, rated, recorded, spread


def in_range(low: float, groups: range) -> dict[str, GroupFacts]:
    """Groups of a range of purity, whose hard negatives come from the next."""
    ends = (low, round(low + 0.1, 1))
    return {str(g): GroupFacts("k-means", "", ends, low + 0.05, hard_negative=str(g + 1)) for g in groups}


def as_sela(**renamed: str) -> Result:
    """Answers with the counts of SeLa's first two ranges, tables 1 and 2."""
    table = {0.3: (431, 332, 505, 472), 0.4: (565, 360, 572, 560)}
    records: list[Record] = []
    facts = {}
    for at, (low, counts) in enumerate(table.items()):
        kinds = [{"negatives": "random"}, {"negatives": "hard"}]
        kinds += [{"condition": "description", "described_by": who} for who in ("human", "automatic")]
        for count, kind in zip(counts, kinds, strict=True):
            for record in spread(count, 10, 60, **kind):
                group = str(int(record["group"]) + 10 * at)
                moved = {"group": group, "trial": f"{at} {record['trial']}", "query_id": f"{at} {record['query_id']}"}
                records.append({**record, **moved})
        facts |= in_range(low, range(10 * at, 10 * at + 10))
    return people(records, StudyGroups(groups=facts), name="SeLa", **renamed)  # type: ignore[arg-type]


CASES = {
    "all": as_sela,
    "one condition": lambda: people(recorded("a", 4, 6), name="one"),
    "ratings alone": lambda: people(list(rated("a", "512")), name="rated"),
    "no purity": lambda: people(spread(30, 4, 12), name="unlabelled"),
    "same answers": lambda: people(recorded("a", 1, 1), name="alone"),
}


def test_tables_1_and_2_print_what_the_paper_prints_from_its_counts() -> None:
    study = Study(as_sela())
    found = []
    for table in (coherence_table, describability_table):
        header, rows, groups = table([study])
        assert header[:2] == ["Method", "Purity range"]
        assert [width for _, width in groups] == [2, 5, 5]
        assert [row[:2] for row in rows] == [["SeLa", "(0.3, 0.4]"], ["", "(0.4, 0.5]"], ["", "all"]]
        found += [[row[2:4], row[7:9]] for row in rows[:2]]
    expected = [[f"{mean:.1f}", f"[{low:.1f},\u00a0{high:.1f}]"] for _, (mean, low, high) in CELLS[:8]]
    assert found == [expected[0:2], expected[4:6], expected[2:4], expected[6:8]]
    header = load_counts(COHERENCE_TABLE).as_rows()[0]
    titles = [name for name, _ in coherence_table([study])[2][1:]]
    assert [name.partition(":")[0] for name in header[2::3]] == titles


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_written_whatever_was_asked(case: str, tmp_path: Path) -> None:
    result = CASES[case]()
    page = unescape(write_study_report([result], tmp_path).read_text())
    for chapter in STUDY_CHAPTERS:
        is_there = bool(chapter.has([Study(result)]))
        assert (chapter.title in page) == is_there
        assert (tmp_path / f"{chapter.name}.csv").exists() == is_there
        assert (tmp_path / f"{chapter.name}.png").exists() == (is_there and chapter.draw is not None)
    assert ">nan" not in page
    assert "None<" not in page
    assert "http" not in page.replace("https://arxiv.org/abs/2010.14551", "")  # nothing is loaded from anywhere
    assert len(list(csv.reader((tmp_path / "groups.csv").read_text().splitlines()))) == 1 + len(result.arrays["group"])


def test_alpha_that_is_not_defined_is_a_dash_with_a_note() -> None:
    result = CASES["same answers"]()
    _, rows, _ = coherence_table([Study(result)])
    assert rows == [["alone", "all", "100.0", "[2.5,\u00a0100.0]", "–", "–", "1, 1"]]
    assert any("alpha is not defined" in note for note in result.notes)


def test_studies_stand_side_by_side(tmp_path: Path) -> None:
    first, second = as_sela(), CASES["no purity"]()
    _, rows, groups = coherence_table([Study(second), Study(first)])
    assert [row[0] for row in rows if row[0]] == ["unlabelled", "SeLa"]
    assert rows[0][7:] == ["–"] * 5  # no hard negatives there
    assert [name for name, _ in groups[1:]] == ["Semantic coherence (R)", "Semantic coherence (H)"]
    page = write_study_report([second, first], tmp_path).read_text()
    assert "The groups of SeLa" in page
    (legend,) = by_purity([Study(second), Study(first)], fig2_columns([Study(first)])).legends
    assert [text.get_text() for text in legend.texts] == ["unlabelled", "SeLa", "chance"]


def test_studies_of_one_name_keep_a_row_each() -> None:
    rows = coherence_table([Study(CASES["no purity"]())] * 2)[1]
    assert [row[0] for row in rows] == ["unlabelled", "unlabelled"]


def test_features_have_their_difference_plain_and_adjusted_for_size() -> None:
    facts = {
        str(j): GroupFacts("dominant features", "discriminative" if j > 2 else "outside", size=10 * 2**j)
        for j in range(6)
    }
    records = [record for j in range(6) for record in recorded(str(j), 6 + 6 * j + 6 * (j > 2), 60)]
    sized, unsized = (
        people(records, StudyGroups(groups={g: replace(about, **more) for g, about in facts.items()}))  # type: ignore[arg-type]
        for more in ({}, {"size": None})
    )
    header, ((*_, plain, adjusted),) = features_table([Study(sized)])
    assert header[-1] == "adjusted for log size"
    assert (plain.partition(" ")[0], adjusted) == ("+40.0", "+10.0 [+10.0,\u00a0+10.0]")
    assert features_table([Study(unsized)])[1][0][4:] == [plain, "–"]
    (row,) = features_csv([Study(unsized)])[1]
    assert row[-3:] == ["", "", ""]


def test_dots_of_fig_2_are_shares_with_their_intervals() -> None:
    study = Study(as_sela())
    axis = by_purity([study], fig2_columns([study])).axes[0]
    dots = next(line for line in axis.lines if line.get_marker() == "o" and len(np.asarray(line.get_xdata())) == 20)
    assert np.asarray(dots.get_ydata()) == pytest.approx(study["score_correct"][:, 0] / 60)
    assert np.asarray(dots.get_xdata()) == pytest.approx(study["purity"])
    ends = np.array([segment[:, 1] for segment in axis.collections[0].get_segments()])  # type: ignore[attr-defined]
    assert ends == pytest.approx(np.stack([study["score_low"][:, 0], study["score_high"][:, 0]], 1))


def test_comparisons_and_ratings_as_counted() -> None:
    study = Study(as_sela())
    rows = comparison_table([study])[1]
    assert [row[1:5] for row in rows] == [
        ["k-means", "Semantic coherence (R)", "Describability (human)", "400"],
        ["k-means", "Semantic coherence (R)", "Describability (auto)", "400"],
        ["k-means", "Describability (human)", "Describability (auto)", "400"],
    ]
    assert rows[0][-1].startswith(f"{100 * (431 + 565 - 505 - 572) / 1200:+.1f} [")
    del study.result.arrays["pair_kind"]  # as in older results
    assert [row[1] for row in comparison_csv([study])[1]] == [""] * 3
    other = Study(CASES["ratings alone"]())
    assert ratings_table([other])[1] == [["rated", "human", "all", "1", "1", "0", "0", "1", "2.67", "33.3"]]
    shown = [text.get_text() for text in ratings_figure([other]).axes[0].texts]
    assert shown == ["1", "1", "1"]


def test_a_card_has_the_scores_of_its_group() -> None:
    images = {
        "examples_group": np.array(["1", "0"]),
        "examples": np.stack([np.full((10, 8, 8, 3), shade, np.uint8) for shade in (0, 200)]),
        "hard_examples": np.zeros((2, 10, 8, 8, 3), np.uint8),
        "num_examples": np.array([10, 10]),
        "num_hard_examples": np.array([10, 0]),
    }
    facts = in_range(0.3, range(1)) | {"1": GroupFacts(purity=0.9, caption="a dog")}
    result = people([*recorded("0", 47, 60), *recorded("1", 30, 60)], StudyGroups(groups=facts), images=images)
    purer, card = study_cards(Study(result))
    assert (purer.title, purer.scores[0].said) == ("Group 1", "50.0 % (30/60)")
    assert purer.descriptions == (("automatic, not shown", "a dog"),)
    assert purer.nearest == "Nearest group"
    assert purer.nearest_picture == purer.picture != card.picture
    assert not card.descriptions
    assert (card.scores[0].name, card.scores[0].said) == ("Semantic coherence (R)", "78.3 % (47/60)")  # fig. 10
    assert card.nearest == "Nearest group: 1"
    assert card.picture
    assert not card.nearest_picture
    assert card.facts == (("Purity", "0.35"),)
