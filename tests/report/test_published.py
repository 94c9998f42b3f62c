"""The papers' numbers are those printed, and what was measured stands beside them."""

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.files import write_json
from qscore.report.collect import BASELINE, CONTROL, REGULARIZED, EvaluatedEncoder, collect
from qscore.report.page import write_report
from qscore.report.published import AAAI_TABLE_1, AAAI_TABLE_2, TABLES, V2_TABLE_1, V2_TABLE_A1, load_published
from qscore.report.published_figures import published_accuracy, published_transfer
from qscore.report.published_tables import published_table, transfer_table
from qscore.results import Result

PRINTED = {
    V2_TABLE_1: """
    CIFAR-10 90.83 92.31 89.17 90.03 86.91 92.77 86.72 92.25
    CIFAR-100 65.91 71.90 62.89 66.52 63.47 68.16 60.97 67.71
    STL-10 76.42 79.83 73.94 75.03 73.21 74.29 70.59 74.47
    ImageNet-100 77.62 80.79 74.09 78.90 78.32 85.16 80.10 86.72""",
    V2_TABLE_A1: """
    CIFAR-10 70.13 70.55 71.27 72.42 73.26 72.39 71.36 72.99
    CIFAR-100 40.23 40.70 42.52 42.69 45.70 44.11 45.92 45.36
    STL-10 65.74 65.77 65.81 65.89 66.87 67.03 85.45 86.07
    Aircraft 11.94 11.79 11.97 17.31 12.06 13.08 11.91 11.73
    Flowers 49.52 51.63 49.53 55.03 50.20 50.82 50.23 51.26
    Food 48.47 48.01 48.38 51.73 48.36 49.74 48.35 50.22
    Cars 10.67 10.59 10.63 16.17 10.68 12.47 10.72 13.09
    DTD 55.69 56.06 55.63 57.18 55.90 57.12 55.63 56.06
    Average 44.05 44.39 44.47 47.30 45.38 45.85 47.45 48.35""",
}
PAPER = {"lambda": 0.1, "epsilon": 4, "formula": "ratio", "epochs": 100}


def encoder(
    role: str,
    top1: float | None = None,
    *,
    data: str = "cifar10",
    method: str = "simclr",
    run: str = "",
    transfer: dict[str, float] | None = None,
    **recipe: object,
) -> EvaluatedEncoder:
    results = {}
    if top1 is not None:
        results["linear_probe"] = Result("linear_probe", {"top1": top1})
    if transfer is not None:
        metrics: dict[str, float | None] = {f"{name}/top1": value for name, value in transfer.items()}
        metrics["average"] = fmean(transfer.values())
        arrays = {"datasets": np.array(list(transfer)), "top1": np.array(list(transfer.values()))}
        results["transfer"] = Result("transfer", metrics, arrays=arrays)
    chosen = {} if role == BASELINE else PAPER | ({"lambda": 0} if role == CONTROL else {}) | recipe
    path = Path(run or f"{role}-{data}-{method}")
    return EvaluatedEncoder(
        role, role, path, {"seed": 0, "lambda": 0}, results, [], data=data, method=method, recipe=chosen
    )


def cells(encoders: list[EvaluatedEncoder], row: str, name: str = V2_TABLE_1) -> dict[str, str]:
    header, rows = published_table(encoders, name).as_rows()
    (found,) = [r for r in rows if r[0] == row]
    return dict(zip(header, found, strict=True))


@pytest.mark.parametrize("name", TABLES)
def test_every_table_loads_with_source_and_cautions(name: str) -> None:
    table = load_published(name)
    assert table.source.startswith("Kalibhat et al., ")
    assert table.url.startswith("https://")
    assert table.unit == "%"
    assert any("seeds" in caution for caution in table.cautions)
    for dataset, methods in table.cells.items():
        assert dataset in table.datasets
        for method, columns in methods.items():
            assert method in table.methods
            for column in columns:
                value = table.value(dataset, method, column)
                assert column in table.columns
                assert value is not None
                assert 0 < value < 100


@pytest.mark.parametrize(("name", "printed"), PRINTED.items())
def test_numbers_of_v2_are_those_printed(name: str, printed: str) -> None:
    table = load_published(name)
    keys = {shown: dataset for dataset, shown in table.datasets.items()}
    lines = [line.split() for line in printed.strip().splitlines()]
    assert set(keys) == {line[0] for line in lines}
    for shown, *numbers in lines:
        found = [table.value(keys[shown], m, c) for m in ("simclr", "swav", "moco", "byol") for c in table.columns]
        assert found == [float(number) for number in numbers]


def test_averages_of_table_a1_are_averages() -> None:
    table = load_published(V2_TABLE_A1)
    for method in table.methods:
        for column in table.columns:
            rows = [methods[method][column] for dataset, methods in table.cells.items() if dataset != "average"]
            assert fmean(rows) == pytest.approx(table.cells["average"][method][column], abs=0.011)


@pytest.mark.parametrize(
    ("name", "dataset", "line"),
    [
        (AAAI_TABLE_2, "imagenet100", "byol 80.88 86.72"),
        (AAAI_TABLE_2, "imagenet", "byol 69.14 72.81"),
        (AAAI_TABLE_2, "imagenet", "barlow_twins 67.85 69.58"),
        (AAAI_TABLE_1, "imagenet100", "simclr 73.26 91.11"),
        (AAAI_TABLE_1, "imagenet100", "dino 62.57 83.03"),
    ],
)
def test_numbers_of_aaai(name: str, dataset: str, line: str) -> None:
    method, *numbers = line.split()
    table = load_published(name)
    assert [table.value(dataset, method, column) for column in table.columns] == [float(n) for n in numbers]


def test_both_versions_print_the_same_four_numbers_after_regularisation() -> None:
    v2, aaai = load_published(V2_TABLE_1), load_published(AAAI_TABLE_2)
    for method in v2.methods:
        after, before = ([t.value("imagenet100", method, c) for t in (v2, aaai)] for c in ("Q-Score", "baseline"))
        assert after[0] == after[1]
        assert before[0] != before[1]


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(UserError, match="Did you mean 'v2_table1'"):
        load_published("v2_table2")


def test_measured_stands_beside_published() -> None:
    found = cells(
        [
            encoder(BASELINE, 0.9),
            encoder(CONTROL, 0.91),
            encoder(REGULARIZED, 0.91, run="a"),
            encoder(REGULARIZED, 0.93, run="b"),
        ],
        "CIFAR-10",
    )
    assert found["SimCLR baseline, published"] == "90.83"
    assert found["SimCLR baseline, measured"] == "90.00 (1 run)"
    assert found["SimCLR control, published"] == "not published"
    assert found["SimCLR Q-Score, measured"] == "92.00 ± 1.41 (2 runs)"
    assert found["BYOL Q-Score, published"] == "92.25"
    assert found["BYOL Q-Score, measured"] == "not measured"


def test_settings_that_are_not_the_papers_have_a_row_of_their_own() -> None:
    encoders = [
        encoder(BASELINE, 0.9),
        encoder(CONTROL, 0.91),
        encoder(REGULARIZED, 0.92, run="a"),
        encoder(REGULARIZED, 0.5, run="b", **{"lambda": 10, "formula": "centered"}),
    ]
    assert cells(encoders, "CIFAR-10")["SimCLR Q-Score, measured"].startswith("92.00")
    other = cells(encoders, "CIFAR-10, λ=10, centered")
    assert other["SimCLR Q-Score, measured"].startswith("50.00")
    assert other["SimCLR control, measured"].startswith("91.00")


def test_a_control_of_other_length_stands_beside_no_q_score_run() -> None:
    encoders = [encoder(REGULARIZED, 0.92), encoder(CONTROL, 0.91, epochs=4)]
    assert cells(encoders, "CIFAR-10")["SimCLR control, measured"] == "not measured"
    assert cells(encoders, "CIFAR-10, 4 epochs")["SimCLR control, measured"].startswith("91.00")


def test_data_and_methods_of_a_users_own_follow_those_of_the_paper() -> None:
    found = cells([encoder(REGULARIZED, 0.8, data="leaves", method="mine")], "leaves")
    assert found["mine Q-Score, published"] == "not published"
    assert found["mine Q-Score, measured"] == "80.00 (1 run)"
    assert found["SimCLR baseline, published"] == "not published"


def test_transfer_of_encoders_that_the_paper_has() -> None:
    some = encoder(REGULARIZED, data="imagenet100", transfer={"cifar10": 0.7, "dtd": 0.5})
    header, rows = transfer_table([some]).as_rows()
    column = header.index("SimCLR Q-Score, published")
    table = {row[0]: row[column : column + 2] for row in rows}
    assert table["CIFAR-10"] == ["70.55", "70.00 (1 run)"]
    assert table["Average"] == ["44.39", "not measured"]  # of eight sets, not of these two
    assert table["average of cifar10, dtd"] == ["not published", "60.00 (1 run)"]
    whole = encoder(
        REGULARIZED,
        data="imagenet100",
        transfer={name: 0.5 for name in load_published(V2_TABLE_A1).datasets if name != "average"},
    )
    assert dict(zip(header, transfer_table([whole]).as_rows()[1][-1], strict=True))[
        "SimCLR Q-Score, measured"
    ].startswith("50.00")


def test_transfer_of_other_encoders_is_not_beside_the_papers() -> None:
    grid = transfer_table([encoder(REGULARIZED, data="leaves", transfer={"cifar10": 0.7})])
    assert "CIFAR-10, encoders of leaves" in [label for label, _ in grid.rows]
    assert grid.is_measured
    assert not grid.pairs


def test_figures_show_what_a_paper_has_too_and_its_control() -> None:
    encoders = [encoder(BASELINE, 0.9), encoder(CONTROL, 0.91), encoder(REGULARIZED, 0.5, data="leaves")]
    (axis,) = published_accuracy(encoders).axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["CIFAR-10: SimCLR (arXiv v2, 6 July 2022)"]
    assert [float(line.get_xdata()[0]) for line in axis.lines] == [90.83, 90.0, 91.0]  # the control, unpublished
    moved = encoder(BASELINE, data="imagenet100", transfer={"cifar10": 0.7})
    assert [float(line.get_xdata()[0]) for line in published_transfer([moved]).axes[0].lines] == [70.13, 70.0]


def test_the_page_has_the_section_where_something_was_measured(tmp_path: Path) -> None:
    moved = encoder(REGULARIZED, data="imagenet100", method="byol", transfer={"cifar10": 0.7, "leaves": 0.6})
    page = write_report([moved], tmp_path / "transfer").read_text()
    assert "table A.1, arXiv v2" in page
    assert "no error bars" in page
    assert (tmp_path / "transfer" / "published_transfer.png").is_file()
    assert "72.99,70.00 (1 run)" in (tmp_path / "transfer" / "transfer.csv").read_text()
    without = EvaluatedEncoder(
        "control", CONTROL, tmp_path, {"seed": 0}, {"quality": Result("quality", {"rank_me": 3.0})}, []
    )
    page = write_report([without], tmp_path / "without").read_text()
    assert "Beside the paper" not in page
    assert not (tmp_path / "without" / "published.png").exists()
    assert not (tmp_path / "without" / "transfer.csv").exists()
    assert "not measured" in (tmp_path / "without" / "table1.csv").read_text()


def test_names_and_settings_come_from_the_run(tmp_path: Path) -> None:
    config = {
        **PAPER,
        "seed": 1,
        "data": {"name": "cifar10"},
        "method": {"name": "moco"},
        "encoder": {"architecture": "resnet18", "width": 0.5},
        "checkpoint": {"path": None},
    }
    for folder, top1 in (("run/results", 0.9), ("baseline/results/scoring-1", 0.8)):
        Result("linear_probe", {"top1": top1}).save(tmp_path / folder)
    origins = {"baseline": "../baseline/results/scoring-1"}
    write_json(tmp_path / "run" / "run.json", {"stage": "fine_tune", "config": config, "origins": origins})
    found = cells(collect([tmp_path / "run"]), "CIFAR-10, resnet18 of width 0.5")
    assert found["MoCo baseline, measured"] == "80.00 (1 run)"
    assert found["MoCo Q-Score, measured"] == "90.00 (1 run)"
    for checkpoint, known in ((None, True), ({"path": None}, True), ("x", False), ({"path": "x"}, False)):
        chosen = config | {"checkpoint": checkpoint}
        write_json(tmp_path / "run" / "run.json", {"stage": "fine_tune", "config": chosen})
        assert ("encoder" in collect([tmp_path / "run"])[0].recipe) == known
