"""Accuracy on some of the features (figs. 4 and A.2), and on other data sets (table A.1)."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import (
    BLUE,
    GREY,
    PURPLE,
    STYLE,
    VERMILION,
    WIDTH_IN,
    Encoders,
    colors,
    label,
    panels,
)

CURVES = {"middle": ("middle", BLUE, "-"), "lower_tail": ("lower tail", VERMILION, "--")}
CURVES |= {"upper_tail": ("upper tail", PURPLE, "-.")}


def selection_curves(encoders: Encoders) -> Figure:
    """Probe accuracy against the share of features kept, for each way to choose them (figs. 4, A.2)."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        percentages = encoder.array("feature_selection", "percentages")
        draws = encoder.array("feature_selection", "random")
        axis.fill_between(percentages, draws.min(0), draws.max(0), color=GREY, alpha=0.25, linewidth=0)
        axis.plot(percentages, draws.mean(0), color=GREY, linestyle=":", label=f"random, {len(draws)} draws")
        for name, (text, color, line) in CURVES.items():
            curve = encoder.array("feature_selection", name)
            axis.plot(percentages, curve, color=color, linestyle=line, marker="o", markersize=4, label=text)
        axis.axhline(
            encoder.results["feature_selection"].metrics["all_features"] or 0.0,
            color="black",
            linewidth=0.8,
            label="all features",
        )
        axis.set_xlabel("features kept (%)")
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        axis.legend(frameon=False, fontsize=9, loc="lower right")

    return panels(encoders, "feature_selection", draw, ylabel="probe top-1", height=3.2)


def transfer_accuracy(encoders: Encoders) -> Figure:
    """Probe accuracy on each of the other data sets, one dot an encoder (table A.1)."""
    drawn = [e for e in encoders if "transfer" in e.results]
    names = list(dict.fromkeys(name for e in drawn for name in [*map(str, e.array("transfer", "datasets")), "average"]))
    names = [*(name for name in names if name != "average"), "average"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.2 + 0.4 * len(names)))
        axis = figure.subplots()
        for i, (encoder, color) in enumerate(zip(drawn, colors(drawn), strict=True)):
            offset = 0.5 * (i + 0.5) / len(drawn) - 0.25  # beside one another, or equal ones would hide
            found = [encoder.metric("transfer", name if name == "average" else f"{name}/top1") for name in names]
            known = [(value, row + offset) for row, value in enumerate(found) if value is not None]
            axis.plot(*zip(*known, strict=True), "o", color=color, label=label(encoder))
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.grid(axis="x", color="#DDDDDD")
        axis.xaxis.set_major_formatter(PercentFormatter(1.0))
        axis.set_xlabel("probe top-1")
        axis.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return figure
