"""Tables 2 and 3, and figs. 3 to 6: shares by group and annotator."""

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.naming.study import Namings, Table, exact, mean, number
from qscore.report.panels import BLUE, GREEN, ORANGE, PURPLE, SKY, STYLE, VERMILION, elided

MOST_BARS, WIDTH_IN = 36, 5.2  # in a row, so that a phone shows all of it in letters that can be read
COLORS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, "#8C6D31", "#17807E", "#7B4173", "#637939")
LAST, EDGE = "#333333", "white"
ANY = "any annotator"


def purity_table(name: str) -> Callable[[Namings], Table]:
    """Returns what makes table 2 ("cx_purity") or 3 ("xc_purity"): means are over what is defined."""

    def table(namings: Namings) -> Table:
        header, rows = ["Group", *namings.annotators, "average"], []
        for group, shares in zip(namings.groups, namings[name], strict=True):
            rows.append([group, *map(number, shares), number(mean(shares))])
        averages = [mean(column) for column in namings[name].T]
        return header, [*rows, ["average", *map(number, averages), number(mean(np.array(averages)))]]

    return table


def purity_csv(name: str) -> Callable[[Namings], Table]:
    """Returns what makes the same, a number a row."""
    return lambda namings: _csv(namings, namings[name], namings["annotator"].tolist(), name)


def coverage_csv(place: int, name: str) -> Callable[[Namings], Table]:
    """Returns what makes the numbers of figs. 3 to 5."""
    return lambda namings: _csv(namings, namings["coverage"][place], [*namings["annotator"].tolist(), ANY], name)


def exactly_csv(namings: Namings) -> Table:
    """Returns the numbers of fig. 6."""
    header, rows = _csv(namings, namings["exactly"], list(range(len(namings.annotators) + 1)), "share")
    return [header[0], "named_by", header[2]], rows


def coverage_figure(place: int) -> Callable[[Namings], Figure]:
    """Returns what draws figs. 3 to 5: a bar an annotator, the last for any."""

    def draw(namings: Namings) -> Figure:
        return _bars(namings, namings["coverage"][place], [*namings.annotators, ANY], is_ordered=False)

    return draw


def exactly_figure(namings: Namings) -> Figure:
    """Share of the maps that so many annotators named (fig. 6)."""
    names = [f"by {count}" for count in range(len(namings.annotators) + 1)]
    return _bars(namings, namings["exactly"], names, is_ordered=True)


def _bars(namings: Namings, shares: np.ndarray, names: Sequence[str], *, is_ordered: bool) -> Figure:
    groups = [elided(name, 22) for name in namings.groups]
    in_row = max(1, min(len(groups), MOST_BARS // len(names)))
    parts = [slice(start, start + in_row) for start in range(0, len(groups), in_row)]
    is_tight = max(map(len, groups)) * in_row > 45
    scale = mpl.colormaps["viridis_r"](np.linspace(0.05, 1, len(names)))
    colors = list(scale) if is_ordered else [*(COLORS[i % len(COLORS)] for i in range(len(names) - 1)), LAST]
    wide = 0.84 / len(names)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 0.6 + 2.4 * len(parts)), dpi=200)
        axes = figure.subplots(len(parts), 1, squeeze=False)[:, 0]
        for axis, part in zip(axes, parts, strict=True):
            at = np.arange(len(groups[part]))
            for place, (name, color) in enumerate(zip(names, colors, strict=True)):
                x = at + (place - (len(names) - 1) / 2) * wide
                axis.bar(x, np.nan_to_num(shares[part, place]), wide, color=color, edgecolor=EDGE, label=name)
            axis.set_xticks(at, groups[part], rotation=25 if is_tight else 0)
            axis.set(ylim=(0, 1.02), xlim=(-0.6, in_row - 0.4))
            axis.yaxis.set_major_formatter(PercentFormatter(1.0))
            axis.set_axisbelow(True)
            axis.grid(axis="y", color="#DDDDDD")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(5, len(names)), frameon=False, fontsize=10)
    return figure


def _csv(namings: Namings, shares: np.ndarray, columns: Sequence[object], name: str) -> Table:
    return ["group", "annotator", name], [
        [group, str(column), exact(float(share))]
        for group, row in zip(namings.groups, shares, strict=True)
        for column, share in zip(columns, row, strict=True)
    ]
