"""The page of a naming study: the paper's layout, and words where there is nothing to count."""

import csv
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from qscore.interpretability.naming.people import namings_result
from qscore.report.naming.agreement import confirmed, table5, table6
from qscore.report.naming.bipartite import FONT, UNMATCHED, WIDTH, bipartite
from qscore.report.naming.chapters import EXPLAINED, MATCHED, NAMING_CHAPTERS
from qscore.report.naming.explained import tables4
from qscore.report.naming.families import vocabularies
from qscore.report.naming.overview import people_table, table1
from qscore.report.naming.page import write_naming_report
from qscore.report.naming.shares import coverage_figure, purity_table
from qscore.report.naming.study import Namings
from qscore.report.published.naming import load_naming_table
from qscore.results import Result
from tests.interpretability.naming.exported import facts, record
from tests.interpretability.naming.printed import EXPLANATIONS
from tests.interpretability.naming.test_people import FEATURES, FIRST, IMAGES, by_hand


def alone() -> Result:
    return namings_result([record(1, FIRST, ["wing", "eye", "<b>x</b>"])], facts(IMAGES, FEATURES))


def unnamed() -> Result:
    return namings_result([record(who, [-1] * 12, []) for who in (1, 2)], facts(IMAGES, FEATURES))


def of_two_groups() -> Result:
    """The second group has one annotator."""
    names = ["wing & eye", "eye", "x"]
    records = [record(1, FIRST, names), record(2, FIRST, names), record(2, FIRST, names, group="dog")]
    return namings_result(records, facts(IMAGES, FEATURES) + facts(IMAGES, FEATURES, group="dog"), name="two")


CASES: dict[str, Callable[[], Result]] = {
    "two annotators": by_hand,
    "one annotator": alone,
    "nothing named": unnamed,
    "two groups": of_two_groups,
}


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_written_whatever_was_named(case: str, tmp_path: Path) -> None:
    result = CASES[case]()
    has_pairs = Namings(result).has_pairs
    assert has_pairs == (case in ("two annotators", "two groups"))
    page = write_naming_report(result, tmp_path).read_text()
    for chapter in (*NAMING_CHAPTERS, EXPLAINED, MATCHED):
        is_there = has_pairs or not chapter.needs_pairs
        assert (chapter.title in unescape(page)) == is_there
        assert (tmp_path / f"{chapter.name}.csv").exists() == is_there
        assert (tmp_path / f"{chapter.name}.png").exists() == (is_there and chapter.draw is not None)
        assert not is_there or "nan" not in (tmp_path / f"{chapter.name}.csv").read_text()
    assert all(note in unescape(page) for note in result.notes)
    assert ">nan" not in page
    assert "None<" not in page
    assert "<b>x" not in page
    assert "http" not in page.replace("https://arxiv.org/abs/1812.07150", "")  # nothing is loaded from anywhere


def test_no_typed_name_is_a_formula_of_a_spreadsheet(tmp_path: Path) -> None:
    names = ('=HYPERLINK("http://evil")', "@SUM(1)")
    write_naming_report(by_hand(second_names=names), tmp_path)
    tables = [csv.reader(path.read_text().splitlines()) for path in tmp_path.glob("*.csv")]
    cells = [cell for table in tables for row in table for cell in row]
    assert {f"'{name}" for name in names} <= set(cells)
    words = [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert all(float(word) < 0 for word in words), "numbers stay"


@pytest.mark.parametrize(
    ("simulated", "who"), [(0, "people"), (1, "1 people and 1 simulated annotators"), (2, "simulated annotators")]
)
def test_who_named_is_said_at_the_top(simulated: int, who: str, tmp_path: Path) -> None:
    result = by_hand()
    result = replace(result, settings={**result.settings, "num_simulated": simulated})
    page = write_naming_report(result, tmp_path).read_text()
    assert f"<h1>What {who} named</h1>" in page
    assert (": people saw" in page) == (simulated == 0)


def test_tables_of_twelve_activations_by_hand() -> None:
    namings = Namings(by_hand())
    assert table1(namings)[1] == [
        ["Number of images", "6"],
        ["Total significant activations", "12"],
        ["Average of significant activations", "2.00"],
    ]
    assert purity_table("cx_purity")(namings)[1] == [
        ["cat", "0.88", "0.67", "0.77"],
        ["average", "0.88", "0.67", "0.77"],
    ]
    assert people_table(namings)[1] == [
        ["#3", "1", "1", "2", "1", "8", "0", "4"],
        ["#5", "1", "1", "2", "0", "9", "1", "2"],
    ]
    header, rows, groups = table5(namings)
    assert len(header) == len(rows[0]) == sum(width for _, width in groups)
    assert [row[:2] for row in rows] == [["cat", "min"], ["", "average"], ["", "max"], ["Global average", ""]]
    assert {(row[2], row[5], row[8], row[11]) for row in rows} == {("0.57", "0.71", "1.00", "0.70")}
    assert table6(namings)[1][1][2:5] == ["0.75", "0.60", "0.43"]
    assert confirmed(namings).startswith("Of 4 meetings of concepts whose names differ, people confirmed 0;")


def test_table_1_of_the_counts_of_the_paper_is_the_one_it_prints() -> None:
    images, activations, means, *_ = load_naming_table("hamidi2018_table1").rows
    places = {c: [i % images[c] for i in range(activations[c])] for c in "abcdefghijk"}
    known = [row for c, own in places.items() for row in facts(own, [0] * len(own), group=c)]
    header, rows = table1(Namings(namings_result([record(1, [], [], group="a")], known)))
    for printed, own in zip((images, activations, means), rows, strict=True):
        assert {c: float(x) for c, x in zip(header[1:], own[1:], strict=True)} == {c: printed[c] for c in places}


@pytest.mark.parametrize("category", ["a", "f"])
def test_table_4_prints_what_the_paper_prints(category: str) -> None:
    """An activation for each name of an explanation. In b and l some names are in under three images: left out here."""
    rows = [said for said, count, _ in EXPLANATIONS[category] for _ in range(count)]
    words = sorted({name for said in rows for name in said})
    pairs = [(image, name) for image, said in enumerate(rows) for name in said or (None,)]
    naming = [-1 if name is None else words.index(name) for _, name in pairs]
    known = facts([image for image, _ in pairs], [0] * len(pairs), group=category)
    result = namings_result([record(1, naming, words, group=category)], known)
    ((_, (_, ((group, cell),))),) = tables4(Namings(result))
    assert group == category
    for said, _, percentage in EXPLANATIONS[category]:
        quoted = ", ".join(f"'{name}'" for name in sorted(said) or ["unlabeled"])
        assert f"({quoted}) {percentage}" in cell


def test_ribbons_are_as_wide_as_the_maps_they_stand_for() -> None:
    namings = Namings(by_hand(second_names=("<Wings>", 'tail "long"')))
    for shape, families in (("one_to_one", 2), ("star", 1)):
        words = vocabularies(namings, 0, shape)
        assert [sum(word.weight for word in side) for side in (words.left, words.right)] == [7, 7]
        matched = sum(ribbon.weight for ribbon in words.ribbons if ribbon.family is not None)
        assert matched == 7 * namings.of_shape("agreement", shape)[0]
        assert len({ribbon.family for ribbon in words.ribbons} - {None}) == families
        picture = ET.fromstring(bipartite(words, "cat, #3 & #5"))
        paths = picture.findall("path")
        assert sum(path.get("fill") != UNMATCHED for path in paths) == sum(r.family is not None for r in words.ribbons)
        assert len(paths) == len(words.ribbons) == 4
        assert "".join(picture.itertext()).count("<Wings>") > 0


def test_a_name_that_is_part_of_the_other_has_the_same_sign_on_either_side() -> None:
    for names in (("large wing", "eye"), ("wing", "large eye")):  # the first annotator said wing and eye
        picture = bipartite(vocabularies(Namings(by_hand(second_names=names)), 0, "one_to_one"), "")
        signs = [text.text for text in ET.fromstring(picture).findall("text") if text.get("text-anchor") == "middle"]
        assert sorted(signs, key=str) == ["=", "≈"]
        assert "the names: one is part of the other (by rule)" in picture


def test_a_phone_shows_figures_whole_and_in_letters_that_can_be_read(tmp_path: Path) -> None:
    page = write_naming_report(by_hand(), tmp_path).read_text()
    assert page.count('<div class="scroll"') == page.count('<div class="scroll" tabindex="0"') > 0, "by keyboard too"
    assert page.rindex("img { min-width: 0;") > page.index("min-width: 720px")
    inside = 390 - 2 * 24
    assert inside / WIDTH * FONT >= 11
    figure = coverage_figure(0)(Namings(by_hand()))
    assert inside / figure.get_figwidth() * 11 / 72 >= 10, "11 points"


def test_bars_are_the_shares() -> None:
    namings = Namings(by_hand())
    (axis,) = coverage_figure(0)(namings).axes
    heights = [bar.get_height() for bar in axis.patches]  # type: ignore[attr-defined]
    assert heights == pytest.approx([8 / 12, 9 / 12, 10 / 12])
