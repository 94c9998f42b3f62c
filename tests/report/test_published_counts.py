"""The counts of Laina, Fong and Vedaldi give back what the paper prints."""

import subprocess
import sys
from collections import Counter

import pytest

from qscore.errors import UserError
from qscore.report.published.counts import COHERENCE_TABLE, COUNT_TABLES, DESCRIBABILITY_TABLE, load_counts
from tests.interpretability.forced_choice.printed import CELLS


def printed(mean: float, low: float, high: float) -> list[str]:
    return [f"{mean:.1f}", f"[{low:.1f}, {high:.1f}]"]


def test_means_and_intervals_come_out_as_printed() -> None:
    """From the counts alone, in the order of the paper: conditions of table 1, then of table 2, row by row."""
    by_table = {name: load_counts(name).as_rows()[1] for name in COUNT_TABLES}
    cells = [printed(*cell) for _, cell in CELLS]
    for number in range(14):
        found = [by_table[name][number][at : at + 2] for name in COUNT_TABLES for at in (2, 5)]
        assert found == cells[4 * number : 4 * number + 4]
    assert [by_table[name][14][2:4] for name in COUNT_TABLES] == cells[56:]
    assert all(by_table[name][14][5:] == ["–"] * 3 for name in COUNT_TABLES)


@pytest.mark.parametrize("name", COUNT_TABLES)
def test_rows_are_two_models_by_purity_and_imagenet(name: str) -> None:
    table = load_counts(name)
    assert Counter(row["model"] for row in table.rows) == {"SeLa": 7, "MoCo": 7, "ImageNet": 1}
    assert [row["purity"] for row in table.rows[:7]] == [f"({i / 10}, {(i + 1) / 10}]" for i in range(3, 10)]
    header, rows = table.as_rows()
    assert {len(row) for row in rows} == {len(header)} == {8}
    assert table.source.startswith("Laina, Fong and Vedaldi, ")
    assert any("text extract" in caution for caution in table.cautions)


def test_alphas_are_plausible_or_known_not_to_be() -> None:
    """Coded by side over 200 trials of three, one split trial makes alpha at most 99.34."""
    beyond = []
    for name in COUNT_TABLES:
        for row in load_counts(name).rows:
            for column in load_counts(name).columns:
                found = load_counts(name).cell(row["model"], row["purity"], column)
                if found is None:
                    continue
                alpha = row[f"{column}_alpha"]
                assert alpha >= (2 * found.mean - 1) ** 2 - 0.01  # trials differ, so that annotators agree more
                if found.mean < 1 and alpha > 0.9934 + 0.0005:
                    beyond.append((row["model"], row["purity"], column))
    assert beyond == [("SeLa", "(0.6, 0.7]", "random"), ("SeLa", "(0.8, 0.9]", "random")]


def test_cells_that_are_not_there() -> None:
    assert load_counts(COHERENCE_TABLE).cell("ImageNet", None, "hard") is None
    assert load_counts(DESCRIBABILITY_TABLE).cell("SwAV", None, "human") is None
    with pytest.raises(UserError, match="Did you mean 'laina2020_table1'"):
        load_counts("laina2020_tabel1")


def test_the_report_recomputes_them_without_torch() -> None:
    code = "import sys, qscore.report.published.counts as c; c.load_counts('laina2020_table1').as_rows(); "
    subprocess.run([sys.executable, "-c", code + "sys.exit('torch' in sys.modules)"], check=True)
