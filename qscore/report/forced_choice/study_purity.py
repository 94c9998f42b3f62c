"""Every group by its purity and by how often people were right about it (fig. 2), or by rank where nothing is pure."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.forced_choice.study import HARD, Column, Study, all_columns
from qscore.report.forced_choice.study_tables import Table, full
from qscore.report.panels import BLUE, GREEN, GREY, ORANGE, PURPLE, STYLE, VERMILION, WIDTH_IN, elided

PALETTE, MARKERS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, GREY), "os^DvP"
CHANCE = 0.5
NUMBERS = ("purity", "size", "mean_q", "information", "proxy")
TEXTS = ("kind", "band", "common_label", "hard_negative", "caption")


def fig2_columns(studies: list[Study]) -> list[Column]:
    """Returns the columns of fig. 2: all but hard negatives."""
    return [column for column in all_columns(studies) if column.negatives != HARD]


def fig4_columns(studies: list[Study]) -> list[Column]:
    """Returns those of fig. 4: hard negatives."""
    return [column for column in all_columns(studies) if column.negatives == HARD]


def by_purity(studies: list[Study], columns: list[Column]) -> Figure:
    """A panel a column: share of right answers of each group, with its 95 % interval, over its purity.

    Where no group that was asked about so has a purity, they stand in the order of the share instead.
    """
    num_rows = -(-len(columns) // 2)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 0.5 + 3.2 * num_rows))
        grid = figure.subplots(num_rows, min(2, len(columns)), squeeze=False, sharey=True)
        for axis, column in zip(grid.flat, columns, strict=False):
            _draw(axis, studies, column)
        for axis in grid.flat[len(columns) :]:
            axis.set_visible(False)
        for row in grid:
            row[0].set_ylabel("right answers")
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def groups_csv(studies: list[Study], columns: list[Column] | None = None) -> Table:
    """Returns every group with what is known of it and its answers under each column, by default all."""
    columns = all_columns(studies) if columns is None else columns
    parts = ("correct", "answers", "low", "high")
    header = ["study", "group", *NUMBERS, *TEXTS, *(f"{column.title}: {part}" for column in columns for part in parts)]
    rows = []
    for study in studies:
        found = {column: {row[0]: row[1:] for row in study.scores(column)} for column in columns}
        for place, group in enumerate(study["group"].tolist()):
            about = [*full(study[name][place] for name in NUMBERS), *(str(study[name][place]) for name in TEXTS)]
            cells = [found[column].get(place) for column in columns]
            texts = [text for cell in cells for text in (full(cell) if cell else [""] * len(parts))]
            rows.append([study.name, group, *about, *texts])
    return header, rows


def _draw(axis: Axes, studies: list[Study], column: Column) -> None:
    is_known = any(np.isfinite(study["purity"][score[0]]) for study in studies for score in study.scores(column))
    for i, study in enumerate(studies):
        scores = [s for s in study.scores(column) if not is_known or np.isfinite(study["purity"][s[0]])]
        color, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
        axis.plot([], [], marker, color=color, label=elided(study.name))
        if not scores:
            continue
        places, correct, answers, low, high = map(np.array, zip(*scores, strict=True))
        share = correct / answers
        x = study["purity"][places] if is_known else np.argsort(np.argsort(share, kind="stable")) + 1 + 0.2 * i
        reach = np.maximum(0, [share - low, high - share])
        axis.errorbar(x, share, yerr=reach, fmt="none", ecolor=color, elinewidth=0.9, alpha=0.45)
        axis.plot(x, share, marker, color=color, markersize=4.5, markeredgecolor="white", markeredgewidth=0.5)
    axis.axhline(CHANCE, color="black", linestyle="--", linewidth=1, label="chance")
    axis.set_title(column.title)
    axis.set_ylim(-0.02, 1.02)
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.grid(axis="y", color="#DDDDDD")
    axis.set_xlabel("purity" if is_known else "groups, by the share of right answers")
