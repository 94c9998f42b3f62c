"""The tables of the papers, with what was measured here beside every published number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from qscore.report.collect import BASELINE, CONTROL, REGULARIZED, EvaluatedEncoder
from qscore.report.published import AAAI_TABLE_2, V2_TABLE_1, V2_TABLE_A1, PublishedTable, load_published
from qscore.report.published_grid import COLUMNS, Cell, Grid
from qscore.report.tables import as_csv

TRANSFER, AVERAGE = "transfer", "average"
# What an encoder of each role shares with the Q-Score run that it stands beside.
SHARED = {BASELINE: ("encoder",), CONTROL: ("encoder", "epochs"), REGULARIZED: None}
SAID = {
    "lambda": "λ={}",
    "epsilon": "ε={}",
    "formula": "{}",
    "epochs": "{} epochs",
    "encoder": "{}",
    "weight_unit": "λ × {}",
}


@dataclass(frozen=True)
class _Measured:
    """One measured number and where it belongs."""

    row: str
    method: str
    encoder: EvaluatedEncoder
    value: float


def published_table(encoders: list[EvaluatedEncoder], name: str = V2_TABLE_1) -> Grid:
    """Returns a table of linear-probe accuracies: rows data sets, columns methods before and after fine-tuning.

    Data sets and methods that the paper does not have follow those it has. Runs whose settings are not the paper's
    say so in the label of their row; runs of different settings have rows of their own.
    """
    measured = [
        _Measured(e.data, e.method, e, 100 * top1)
        for e in encoders
        if e.role in COLUMNS and e.data and (top1 := e.metric("linear_probe", "top1")) is not None
    ]
    return _grid(load_published(name), measured)


def transfer_table(encoders: list[EvaluatedEncoder]) -> Grid:
    """Returns table A.1: rows the data sets transferred to, and the average where the sets are those of the paper."""
    table = load_published(V2_TABLE_A1)
    measured = [found for e in encoders if e.role in COLUMNS and e.data for found in _transferred(e, table)]
    return _grid(table, measured)


def measured_grids(encoders: list[EvaluatedEncoder]) -> list[Grid]:
    """Returns the tables to show: of each version, if it or data of a user's own has a measured cell, and transfer.

    A version beyond the first is shown where a number of it was measured: the first has the user's own already.
    """
    first, second, transfer = (
        published_table(encoders),
        published_table(encoders, AAAI_TABLE_2),
        transfer_table(encoders),
    )
    return [
        grid
        for grid, shown in ((first, first.is_measured), (second, second.pairs), (transfer, transfer.is_measured))
        if shown
    ]


def published_csvs(encoders: list[EvaluatedEncoder]) -> dict[str, str]:
    """Returns the files beside the page: table 1, and that of transfer where it was measured."""
    grids = {"table1.csv": published_table(encoders), "transfer.csv": transfer_table(encoders)}
    return {name: as_csv(*grid.as_rows()) for name, grid in grids.items() if name == "table1.csv" or grid.is_measured}


def _transferred(encoder: EvaluatedEncoder, table: PublishedTable) -> Iterator[_Measured]:
    metrics = encoder.results[TRANSFER].metrics if TRANSFER in encoder.results else {}
    names = [name.removesuffix("/top1") for name in metrics if name.endswith("/top1")]
    is_whole = {*names, AVERAGE} == set(table.datasets)
    origin = "" if encoder.data == table.trained_on else f", encoders of {encoder.data}"
    for metric, value in metrics.items():
        name = metric.removesuffix("/top1")
        if name == AVERAGE and not is_whole:
            name = f"average of {', '.join(names)}"
        shown = table.datasets.get(name, name) if origin else name  # the paper has no row of such encoders
        if value is not None:
            yield _Measured(f"{shown}{origin}", encoder.method, encoder, 100 * value)


def _grid(table: PublishedTable, measured: list[_Measured]) -> Grid:
    methods = dict(table.methods) | {m.method: m.method for m in measured if m.method not in table.methods}
    rows = []
    for name in dict.fromkeys([*table.datasets, *(m.row for m in measured)]):
        here = [m for m in measured if m.row == name]
        for recipe in _recipes(m.encoder for m in here):
            cells = [
                Cell(table.value(name, method, column), _values(here, method, column, recipe))
                for method in methods
                for column in COLUMNS
            ]
            differing = [SAID[k].format(v) for k, v in recipe.items() if table.settings.get(k) != v]
            rows.append((", ".join([table.datasets.get(name, name), *differing]), cells))
    return Grid(table, methods, rows)


def _recipes(encoders: Iterable[EvaluatedEncoder]) -> list[dict[str, Any]]:
    """The settings of the Q-Score runs, and what is known of the controls and baselines that belong to none."""
    found, recipes = list(encoders), list[dict[str, Any]]()
    for role in (REGULARIZED, CONTROL, BASELINE):
        for own in (_shared(e.recipe, role) for e in found if e.role == role):
            if all(_shared(recipe, role) != own for recipe in recipes):
                recipes.append(own)
    return recipes or [{}]


def _shared(recipe: dict[str, Any], role: str) -> dict[str, Any]:
    names = SHARED[role]
    return {k: v for k, v in recipe.items() if names is None or k in names}


def _values(measured: list[_Measured], method: str, column: str, recipe: dict[str, Any]) -> tuple[float, ...]:
    """One value a run: a baseline that was evaluated at several epsilon is one encoder."""
    wanted = _shared(recipe, column)
    found = {
        m.encoder.path: m.value
        for m in measured
        if (m.method, m.encoder.role) == (method, column) and _shared(m.encoder.recipe, column) == wanted
    }
    return tuple(found.values())
