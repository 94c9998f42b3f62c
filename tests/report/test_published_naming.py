"""Hamidi-Haines et al.'s numbers are those printed, with their misprints, which the cautions name."""

from itertools import groupby

import pytest

from qscore.report.naming.explained import line
from qscore.report.published.naming import NAMING_TABLES, load_naming_table

CATEGORIES = "abcdefghijkl"


@pytest.mark.parametrize("name", NAMING_TABLES)
def test_every_table_loads_with_source_and_cautions(name: str) -> None:
    table = load_naming_table(name)
    assert table.source.startswith("Hamidi-Haines, ")
    assert any("text extract" in caution for caution in table.cautions)
    header, rows = table.as_rows()
    assert {len(row) for row in rows} == {len(header)}
    names, numbers = table.as_numbers()
    assert {len(row) for row in numbers} == {len(names)}


def test_rows_of_table_1_fit_one_another_but_for_column_l() -> None:
    images, activations, means, dnn, xnn, _ = load_naming_table("hamidi2018_table1").rows
    wrong = [c for c in CATEGORIES if round(activations[c] / images[c], 2) != means[c]]
    assert (wrong, means["l"]) == (["l"], 1.49)
    for accuracies in (dnn, xnn):  # of so many images
        for c in CATEGORIES:
            assert min(abs(100 * k / images[c] - accuracies[c]) for k in range(images[c] + 1)) < 0.051


def test_averages_of_tables_2_and_3_are_sums_over_13() -> None:
    for name in ("hamidi2018_table2", "hamidi2018_table3"):
        *rows, average = load_naming_table(name).rows
        assert [row["category"] for row in rows] == list(CATEGORIES)
        for column in [f"annotator_{number}" for number in range(1, 6)]:
            total = sum(row[column] for row in rows)
            assert average[column] == pytest.approx(total / 13, abs=0.01)
            assert average[column] != pytest.approx(total / 12, abs=0.03)


def test_table_4_prints_its_percentages_from_its_counts() -> None:
    rows = load_naming_table("hamidi2018_table4").rows
    found = {category: list(own) for category, own in groupby(rows, key=lambda row: str(row["category"]))}
    assert {category: sum(row["images"] for row in own) for category, own in found.items()} == {
        category: own[0]["of"] for category, own in found.items()
    }
    for own in found.values():
        said = [() if row["explanation"] == "unlabeled" else tuple(row["explanation"].split(", ")) for row in own]
        cell = line({names: row["images"] for names, row in zip(said, own, strict=True)})
        for names, row in zip(said, own, strict=True):
            quoted = ", ".join(f"'{name}'" for name in names or ("unlabeled",))
            assert f"({quoted}) {row['share']}" in cell


def test_tables_5_and_6_have_averages_between_their_ends_and_impossible_deviations() -> None:
    for name, columns, impossible in (
        ("hamidi2018_table5", ("agreement_D1", "agreement_D2", "jaccard"), 0),
        ("hamidi2018_table6", ("exact_D1", "exact_D2", "subset_D1", "subset_D2"), 9),
    ):
        *rows, _ = load_naming_table(name).rows
        assert [row["statistic"] for row in rows] == ["min", "average", "max"] * len(CATEGORIES)
        for low, middle, high in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
            assert all(low[column] <= middle[column] <= high[column] for column in columns)
        # Ten numbers between 0 and 1, five at each end: sqrt(10 / 9) / 2 = 0.527.
        assert sum(row[f"{column}_sd"] > 0.53 for row in rows[1::3] for column in columns) == impossible
