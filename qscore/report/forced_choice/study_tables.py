"""Tables 1 and 2 with studies as methods, and what else is counted of a study."""

import math
from collections.abc import Iterable

from qscore.report.forced_choice.study import DESCRIPTION, IMAGES, Cell, Column, Study, all_columns

Table = tuple[list[str], list[list[str]]]
Grouped = tuple[list[str], list[list[str]], list[tuple[str, int]]]
PARTS = ("Mean", "95 % CI", "over classes", "IRR", "answers, classes")
NONE = "–"


def coherence_table(studies: list[Study]) -> Grouped:
    """Returns table 1 as header, rows, and the conditions above the header with their widths."""
    return _table(studies, IMAGES)


def describability_table(studies: list[Study]) -> Grouped:
    """Returns table 2 likewise."""
    return _table(studies, DESCRIPTION)


def coherence_csv(studies: list[Study]) -> Table:
    """Returns the cells of table 1 at full precision, as fractions, one a row."""
    return _csv(studies, IMAGES)


def describability_csv(studies: list[Study]) -> Table:
    """Returns those of table 2 likewise."""
    return _csv(studies, DESCRIPTION)


def full(numbers: Iterable[float]) -> list[str]:
    """Returns numbers at full precision, empty where they are not defined."""
    return [repr(float(number)) if math.isfinite(number) else "" for number in numbers]


def cell_texts(cell: Cell | None) -> list[str]:
    """Returns mean, both intervals, alpha and counts in percent as printed; dashes where there are none."""
    if cell is None:
        return [NONE] * len(PARTS)
    ends = [_ends(100 * low, 100 * high) for low, high in (cell.ends, cell.class_ends)]
    counts = f"{cell.answers}, {cell.num_groups}"
    return [f"{100 * cell.mean:.1f}", *ends, said(100 * cell.alpha), counts]


def _table(studies: list[Study], condition: str) -> Grouped:
    columns = all_columns(studies, condition)
    header = ["Method", "Purity range", *(part for _ in columns for part in PARTS)]
    rows: list[list[str]] = []
    for study in studies:
        cells = study.cells()
        shown = [at for at in enumerate(study.parts) if any((at[0], column) in cells for column in columns)]
        for number, (row, part) in enumerate(shown):
            texts = [text for column in columns for text in cell_texts(cells.get((row, column)))]
            rows.append(["" if number else study.name, part, *texts])
    return header, rows, [("", 2), *((column.title, len(PARTS)) for column in columns)]


def _csv(studies: list[Study], condition: str) -> Table:
    header = ["study", "kind", "part", *Column._fields, "correct", "answers", "groups", "mean", "low", "high"]
    return [*header, "class_low", "class_high", "alpha"], [
        [
            *(study.name, str(study["part_kind"][row]), str(study["part"][row]), *column),
            *map(str, (cell.correct, cell.answers, cell.num_groups)),
            *full([cell.mean, *cell.ends, *cell.class_ends, cell.alpha]),
        ]
        for study in studies
        for (row, column), cell in study.cells().items()
        if column.condition == condition
    ]


def said(value: float | None) -> str:
    """Returns a number as printed, a dash where there is none."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.1f}"


def _ends(low: float, high: float) -> str:
    return f"[{low:.1f},\u00a0{high:.1f}]" if math.isfinite(low) else NONE
