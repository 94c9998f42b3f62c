"""Linear accuracy against the reverse probe's: the rows of Laina et al., 2022, and the encoders measured here."""

from itertools import product

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import BLUE, GREEN, GREY, ORANGE, PURPLE, STYLE, WIDTH_IN, Encoders, elided, label
from qscore.report.published.rows import LAINA_TABLE_2, load_rows
from qscore.report.reverse_probing.measures import finite, metric
from qscore.report.reverse_probing.sweep import told_apart

RESNET = "ResNet-50"
KINDS = {"contrastive": BLUE, "clustering-based": ORANGE, "positive-only": GREEN, "handcrafted pretext": PURPLE}
MARKERS = {RESNET: "o", "ViT-Base/16": "s"}
FONT_PT, MOST_IN_LEGEND = 7.5, 12
LINE_FROM_TO = (46.58, 75.3)  # the least and the most accurate ResNet-50 printed
Box = tuple[float, float, float, float]


def has_both(encoder: EvaluatedEncoder) -> bool:
    """Returns whether an encoder has a linear and a reverse probe."""
    return _point(encoder) is not None


def published_scatter(encoders: Encoders) -> Figure:
    """Top-1 of linear and of reverse probes (fig. 3): hollow as printed, with their line; filled as measured here."""
    drawn = [(e, point) for e in encoders if (point := _point(e))]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 6.2))
        axis = figure.subplots()
        _draw_published(axis)
        _draw_line(axis)
        shapes = told_apart([encoder for encoder, _ in drawn])
        for i, ((encoder, point), (color, shape)) in enumerate(zip(drawn, shapes, strict=True)):
            text = elided(label(encoder)) if i < MOST_IN_LEGEND else None
            axis.plot(
                *point,
                "D" if shape == "o" else shape,
                color=color,
                markersize=8,
                markeredgecolor="black",
                label=text,
                zorder=4,
            )
        if len(drawn) > MOST_IN_LEGEND:
            axis.plot([], [], linestyle="", label=f"and {len(drawn) - MOST_IN_LEGEND} more measured here")
        axis.set(xlabel="linear probe top-1 (%)", ylabel="reverse probe top-1 (%)")
        axis.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
        figure.draw_without_rendering()  # the layout decides where there is room for a name
        _name_published(axis, [point for _, point in drawn])
    return figure


def correlation(**chosen: str) -> tuple[int, float, float, float, float]:
    """Returns of the paper's rows their number, Pearson's r, slope and intercept of the line, and Spearman's rho.

    >>> [round(value, 3) for value in correlation(backbone="ResNet-50")]
    [28, 0.963, 1.57, -58.303, 0.845]
    """
    x, y = np.array(load_rows(LAINA_TABLE_2).points("linear_top1", "top1", **chosen)).T
    line = stats.linregress(x, y)
    return len(x), float(line.rvalue), float(line.slope), float(line.intercept), float(stats.spearmanr(x, y)[0])


def _point(encoder: EvaluatedEncoder) -> tuple[float, float] | None:
    linear, reverse = finite(encoder.metric("linear_probe", "top1")), metric(encoder, "top1")[0]
    return None if linear is None or reverse is None else (100 * linear, 100 * reverse)


def _draw_published(axis: Axes) -> None:
    for kind, backbone in product(KINDS, MARKERS):
        rows = [r for r in load_rows(LAINA_TABLE_2).rows if r["backbone"] == backbone and r["linear_top1"]]
        points = [(r["linear_top1"], r["top1"]) for r in rows if r["category"].split(" and ")[-1] == kind]
        if points:
            text = f"printed: {kind}, {backbone}"
            axis.plot(*zip(*points, strict=True), MARKERS[backbone], color=KINDS[kind], mfc="white", ms=7, label=text)


def _draw_line(axis: Axes) -> None:
    num, r, slope, intercept, rho = correlation(backbone=RESNET)
    x = np.array(LINE_FROM_TO)
    text = f"line of the {num} printed ResNet-50:\nr = {r:.3f}, slope {slope:.2f}, Spearman {rho:.3f}"
    axis.plot(x, slope * x + intercept, "--", color=GREY, linewidth=1.2, label=text)
    num, r, _, _, rho = correlation()
    axis.plot([], [], linestyle="", label=f"all {num} printed: r = {r:.3f}, Spearman {rho:.3f}")


def _name_published(axis: Axes, measured: list[tuple[float, float]]) -> None:
    """Writes the models' names where they hide nothing; a name without room is left to the table."""
    pixel = 72 / axis.figure.dpi
    rows = [row for row in load_rows(LAINA_TABLE_2).rows if row["linear_top1"]]
    points = [(row["linear_top1"], row["top1"]) for row in rows]
    places = pixel * axis.transData.transform(np.array([*points, *measured], float))
    _, _, slope, intercept, _ = correlation(backbone=RESNET)
    line = np.linspace(*LINE_FROM_TO, 80)
    on_line = pixel * axis.transData.transform(np.stack([line, slope * line + intercept], 1))
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in places.tolist()]
    taken += [(x - 1, y - 1, x + 1, y + 1) for x, y in on_line.tolist()]
    right = float(pixel * axis.bbox.x1)
    for row, point, (x, y) in zip(rows, points, places.tolist(), strict=False):
        text = row["model"] if row["epochs"] is None else f"{row['model']} {row['epochs']}"
        width = 0.58 * FONT_PT * len(text)
        for dx, dy in ((7, -3), (-7 - width, -3), (6, 5), (-6 - width, 5), (6, -11), (-6 - width, -11)):
            box = (x + dx, y + dy, x + dx + width, y + dy + FONT_PT)
            if box[2] <= right and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                axis.annotate(text, point, (dx, dy), textcoords="offset points", fontsize=FONT_PT, color=GREY)
                break


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
