"""Are discriminative features more meaningful to people than those outside the band?"""

from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.forced_choice.study import BANDS, Cell, Column, Study
from qscore.report.forced_choice.study_tables import NONE, Table, full
from qscore.report.panels import BLUE, LIGHT_GREY, STYLE, WIDTH_IN, elided

COLORS = dict(zip(BANDS, (BLUE, LIGHT_GREY), strict=True))
ENDS, ADJUSTED = ([f"{name}{end}" for end in ("", "_low", "_high")] for name in ("difference", "difference_adjusted"))


def asked_features(studies: list[Study]) -> list[tuple[Study, Column, dict[str, Cell]]]:
    """Returns study and column with both bands' answers, where there are such."""
    found = []
    for study in studies:
        cells, names = study.cells(), study["part"].tolist()
        for column in study.columns:
            both = {str(names[row]): cell for (row, c), cell in cells.items() if c == column and names[row] in BANDS}
            if len(both) == len(BANDS):
                found.append((study, column, both))
    return found


def features_figure(studies: list[Study]) -> Figure:
    """A row a study and condition: right answers about features of both bands; thick over features, thin pooled."""
    shown = asked_features(studies)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.3 + 0.5 * len(shown)))
        axis = figure.subplots()
        for row, (_, _, both) in enumerate(shown):
            for band, shift in zip(BANDS, (-0.14, 0.14), strict=True):
                cell, color = both[band], COLORS[band]
                axis.plot(cell.ends, [row + shift] * 2, color=color, linewidth=1)
                axis.plot(cell.class_ends, [row + shift] * 2, color=color, linewidth=3)
                axis.plot(cell.mean, row + shift, "o", color=color, label=f"{band} features" if not row else None)
        axis.axvline(0.5, color="black", linestyle="--", linewidth=1)
        axis.set_yticks(range(len(shown)), [f"{elided(study.name)}\n{column.title}" for study, column, _ in shown])
        axis.set(ylim=(len(shown) - 0.5, -0.5), xlim=(0, 1.01), xlabel="right answers; dashed: chance")
        axis.xaxis.set_major_formatter(PercentFormatter(1.0))
        axis.grid(axis="x", color="#DDDDDD")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def features_table(studies: list[Study]) -> Table:
    """Returns both bands and their difference as printed."""
    header = ["Study", "Condition", *(f"{band}, % (features)" for band in BANDS), "difference, points [over features]"]
    header.append("adjusted for log size")
    rows = []
    for study, column, both in asked_features(studies):
        said = [f"{100 * both[band].mean:.1f} ({both[band].num_groups})" for band in BANDS]
        differences = [_said(*_metrics(study, column, names)) for names in (ENDS, ADJUSTED)]
        rows.append([study.name, column.title, *said, *differences])
    return header, rows


def features_csv(studies: list[Study]) -> Table:
    """Returns the same at full precision, as fractions."""
    header = ["study", *Column._fields, *BANDS, *(f"num_{band}" for band in BANDS), *ENDS, *ADJUSTED]
    rows = []
    for study, column, both in asked_features(studies):
        ends = ["" if end is None else repr(end) for end in _metrics(study, column, [*ENDS, *ADJUSTED])]
        means, counts = full(both[band].mean for band in BANDS), [str(both[band].num_groups) for band in BANDS]
        rows.append([study.name, *column, *means, *counts, *ends])
    return header, rows


def _metrics(study: Study, column: Column, names: list[str]) -> list[Any]:
    key = "/".join(["features", *filter(None, column)])
    return [study.result.metrics.get(f"{key}/{name}") for name in names]


def _said(value: float | None, low: float | None, high: float | None) -> str:
    ends = "" if low is None or high is None else f" [{100 * low:+.1f},\u00a0{100 * high:+.1f}]"
    return NONE if value is None else f"{100 * value:+.1f}{ends}"
