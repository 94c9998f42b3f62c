"""What was measured here beside what the papers print, as a picture."""

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from qscore.report.collect import CONTROL, EvaluatedEncoder
from qscore.report.panels import ROLE_COLORS, STYLE, WIDTH_IN, Encoders
from qscore.report.published import AAAI_TABLE_2, V2_TABLE_1
from qscore.report.published_grid import Grid
from qscore.report.published_tables import published_table, transfer_table


def has_published(encoder: EvaluatedEncoder) -> bool:
    """Returns whether a probe's accuracy of an encoder is in one of the papers' tables."""
    return any(published_table([encoder], name).pairs for name in (V2_TABLE_1, AAAI_TABLE_2))


def has_published_transfer(encoder: EvaluatedEncoder) -> bool:
    """Returns whether an accuracy of an encoder on another data set is in a paper's table."""
    return bool(transfer_table([encoder]).pairs)


def published_accuracy(encoders: Encoders) -> Figure:
    """Published and measured accuracy of linear probes (table 1 of arXiv v2, table 2 of AAAI 2024)."""
    return _dots([published_table(encoders, name) for name in (V2_TABLE_1, AAAI_TABLE_2)])


def published_transfer(encoders: Encoders) -> Figure:
    """Published and measured accuracy of linear probes on other data sets (table A.1)."""
    return _dots([transfer_table(encoders)])


def _dots(grids: list[Grid]) -> Figure:
    named = [(f"{pair[0]} ({grid.table.version})", pair) for grid in grids for pair in grid.pairs]
    labels = list(dict.fromkeys(label for label, _ in named))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.4 + 0.4 * len(labels)))
        axis = figure.subplots()
        for label, (_, column, published, measured) in named:
            row, color = labels.index(label), ROLE_COLORS[column][0]
            if published is not None:
                axis.plot(published, row - 0.12, "o", color=color, markerfacecolor="white", markersize=7)
            axis.plot(measured, [row + 0.12] * len(measured), "o", color=color, markersize=6)
        axis.set_yticks(range(len(labels)), labels)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.grid(axis="x", color="#DDDDDD")
        axis.set_xlabel("probe top-1 (%)")
        columns = dict.fromkeys(pair[1] for _, pair in named)
        handles = [handle for column in columns for handle in _legend_entries(column)]
        axis.legend(handles=handles, frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _legend_entries(column: str) -> list[Line2D]:
    color = ROLE_COLORS[column][0]
    faces = {"measured": color} if column == CONTROL else {"published": "white", "measured": color}
    return [
        Line2D([], [], marker="o", linestyle="", color=color, markerfacecolor=face, label=f"{column}, {kind}")
        for kind, face in faces.items()
    ]
