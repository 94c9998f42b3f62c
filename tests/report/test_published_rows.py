"""Laina et al.'s numbers are those printed: what is recomputed from them is what others recomputed."""

from itertools import pairwise
from statistics import linear_regression

import pytest
from scipy import stats

from qscore.errors import UserError
from qscore.report.published.rows import LAINA_TABLE_2, LAINA_TABLE_4, LAINA_TABLE_7, ROW_TABLES, load_rows


@pytest.mark.parametrize("name", ROW_TABLES)
def test_every_table_loads_with_source_and_cautions(name: str) -> None:
    table = load_rows(name)
    assert table.source.startswith("Laina, ")
    assert table.url.startswith("https://")
    assert any("text extract" in caution for caution in table.cautions)
    for row in table.rows:
        assert set(table.columns) <= set(row)
        assert all(row[column] is None or -1 < row[column] < 100 for column in table.columns)


def test_correlation_of_linear_accuracy_and_reverse_probe_is_the_recomputed_one() -> None:
    """Pearson 0.956 over all and 0.963, slope 1.570, over the ResNets: the research file, section 1B."""
    table = load_rows(LAINA_TABLE_2)
    every = table.points("linear_top1", "top1")
    resnets = table.points("linear_top1", "top1", backbone="ResNet-50")
    assert (len(table.rows), len(every), len(resnets)) == (32, 30, 28)
    assert stats.pearsonr(*zip(*every, strict=True))[0] == pytest.approx(0.956, abs=5e-4)
    assert stats.pearsonr(*zip(*resnets, strict=True))[0] == pytest.approx(0.963, abs=5e-4)
    assert linear_regression(*zip(*resnets, strict=True)).slope == pytest.approx(1.570, abs=5e-4)
    ranks = [stats.spearmanr(*zip(*points, strict=True))[0] for points in (every, resnets)]
    assert ranks == pytest.approx([0.874, 0.845], abs=5e-4)
    nmi = table.points("linear_top1", "nmi")
    assert stats.pearsonr(*zip(*nmi, strict=True))[0] == pytest.approx(0.952, abs=5e-4)


def test_blocks_of_epochs_begin_where_nmi_falls() -> None:
    resnets = [row for row in load_rows(LAINA_TABLE_2).rows if row["backbone"] == "ResNet-50" and row["epochs"]]
    assert [row["epochs"] for row in resnets] == 12 * [200] + 4 * [400] + 8 * [800] + 4 * [1000]
    for before, after in pairwise(resnets):
        assert (after["nmi"] < before["nmi"]) == (after["epochs"] != before["epochs"])


def test_ami_is_below_nmi_but_for_the_slip_of_table_6() -> None:
    slips = [
        (name, row["model"])
        for name in ROW_TABLES
        if "ami" in load_rows(name).columns
        for row in load_rows(name).rows
        if row["ami"] >= row["nmi"]
    ]
    assert slips == [("laina2022_table6", "SCAN")]


def test_every_model_of_the_transfer_tables_has_both_lines() -> None:
    for name, key in ((LAINA_TABLE_4, "num_clusters"), (LAINA_TABLE_7, "dataset")):
        kinds = {row[key] for row in load_rows(name).rows}
        for model in {row["model"] for row in load_rows(name).rows}:
            assert {row[key] for row in load_rows(name).rows if row["model"] == model} == kinds
    kept = load_rows(LAINA_TABLE_7)
    assert min(a for _, a in kept.points("nmi", "top1", dataset="ImageNet")) > max(
        b for _, b in kept.points("nmi", "top1", dataset="ObjectNet")
    )


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(UserError, match="Did you mean 'laina2022_table2'"):
        load_rows("laina2022_tabel2")
