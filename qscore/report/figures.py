"""The figures of the report, one function each: evaluated encoders in, a matplotlib figure out."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import (
    BAND,
    BLUE,
    ROLE_LINES,
    STYLE,
    VERMILION,
    WIDTH_IN,
    Encoders,
    colors,
    dominance_order,
    label,
    panels,
)


def summary(encoders: Encoders) -> Figure:
    """Accuracy, kNN and AUROC of Q side by side, with intervals where they were computed."""
    panels = [
        ("Linear probe top-1", "linear_probe", "top1"),
        ("kNN, k = 20", "knn", "k20"),
        ("AUROC of Q", "misclassification", "auroc"),
        ("Hoyer sparsity", "sparsity", "hoyer"),
    ]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.1 + 0.42 * len(encoders)))
        axes = figure.subplots(1, len(panels), sharey=True)
        for axis, (title, evaluation, metric) in zip(axes, panels, strict=True):
            for row, (encoder, color) in enumerate(zip(encoders, colors(encoders), strict=True)):
                _dot(axis, encoder, evaluation, metric, row, color)
            axis.set_title(title, fontsize=11)
            axis.margins(x=0.2)
            axis.grid(axis="x", color="#DDDDDD")
        axes[0].set_yticks(range(len(encoders)), [label(e) for e in encoders])
        axes[0].set_ylim(len(encoders) - 0.5, -0.5)
    return figure


def dominance_counts(encoders: Encoders) -> Figure:
    """Features in ascending order of the number of samples they are dominant for, with D shaded (fig. 3)."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        order, low, high = dominance_order(encoder)
        counts = encoder.array("dominance", "counts")[order]
        num_train = encoder.results["dominance"].settings["num_train"]
        axis.axvspan(low - 0.5, high + 0.5, color=BAND, label=f"D: {high - low + 1} features")
        axis.step(range(len(counts)), counts / num_train, where="mid", color="black", linewidth=1.2)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        axis.set_xlabel("feature, sorted")
        axis.legend(loc="upper left", frameon=False)

    return panels(encoders, "dominance", draw, ylabel="samples where dominant")


def representation_heatmaps(encoders: Encoders) -> Figure:
    """A few held-out representations, each divided by its largest feature (fig. 1)."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        order, low, high = dominance_order(encoder)
        rows = np.abs(encoder.array("dominance", "rows")[:, order])
        rows = rows / np.maximum(rows.max(1, keepdims=True), np.finfo(rows.dtype).tiny)
        axis.imshow(rows, aspect="auto", cmap="magma_r", vmin=0, vmax=1, interpolation="nearest")
        for edge in (low - 0.5, high + 0.5):
            axis.axvline(edge, color=BLUE, linewidth=1.5)
        axis.set_xlabel("feature, sorted as in the figure above")
        axis.set_yticks([])

    return panels(encoders, "dominance", draw, ylabel="sample, by class", height=3.6)


def score_histograms(encoders: Encoders) -> Figure:
    """Distribution of Q for samples that the probe gets right and wrong (fig. A.3)."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        edges = encoder.array("misclassification", "histogram_edges")
        for name, color, hatch in (("correct", BLUE, ""), ("misclassified", VERMILION, "///")):
            counts = encoder.array("misclassification", f"histogram_{name}")
            share = counts / max(counts.sum(), 1)
            axis.stairs(
                share, edges, fill=True, color=color, alpha=0.35, hatch=hatch, label=f"{name} (n={counts.sum()})"
            )
            axis.stairs(share, edges, color=color, linewidth=1.4)
        axis.set_xlabel("Q-Score")
        axis.set_ylim(top=1.35 * axis.get_ylim()[1])
        axis.legend(frameon=False, fontsize=9, loc="upper right")

    return panels(encoders, "misclassification", draw, ylabel="share of samples")


def ranking_curves(encoders: Encoders) -> Figure:
    """ROC, precision-recall and risk-coverage curves of Q against the probe's errors (fig. 7)."""
    drawn = [e for e in encoders if e.array("misclassification", "risk") is not None]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 3.8))
        roc, precision_recall, risk = figure.subplots(1, 3)
        for encoder, color in zip(drawn, colors(drawn), strict=True):
            _ranking_curves_of(encoder, color, roc, precision_recall, risk)
        roc.plot([0, 1], [0, 1], color="#AAAAAA", linewidth=1)
        roc.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC, correct positive")
        precision_recall.set(xlabel="recall", ylabel="precision", title="Precision-recall, misclassified positive")
        precision_recall.set_ylim(0, 1.02)
        risk.set(xlabel="coverage (highest Q first)", ylabel="error rate", title="Risk-coverage")
        roc.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def training_q(encoders: Encoders) -> Figure:
    """Median and middle half of Q over the epochs of fine-tuning."""
    drawn = [e for e in encoders if e.histograms]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 3.2))
        axis = figure.subplots()
        for encoder, color in zip(drawn, colors(drawn), strict=True):
            epochs = [entry["epoch"] + 1 for entry in encoder.histograms]
            low, middle, high = np.array([_quartiles(entry) for entry in encoder.histograms]).T
            axis.fill_between(epochs, low, high, color=color, alpha=0.2)
            axis.plot(epochs, middle, color=color, linestyle=ROLE_LINES[encoder.role], marker="o", label=label(encoder))
        axis.set(xlabel="epoch", ylabel="Q-Score of training views")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend(frameon=False)
    return figure


def _ranking_curves_of(encoder: EvaluatedEncoder, color: str, roc: Axes, precision_recall: Axes, risk: Axes) -> None:
    line: dict[str, Any] = {"color": color, "linestyle": ROLE_LINES[encoder.role], "linewidth": 1.8}

    def array(name: str) -> Any:
        return encoder.array("misclassification", name)

    text = f"{label(encoder)}: {encoder.metric('misclassification', 'auroc'):.3f}"
    roc.plot(array("roc_false_positive"), array("roc_true_positive"), label=text, **line)
    precision_recall.step(array("recall_misclassified"), array("precision_misclassified"), where="post", **line)
    base = encoder.metric("misclassification", "base_rate_misclassified") or 0.0
    precision_recall.axhline(base, color=color, linewidth=0.8, alpha=0.6)
    coverage = np.arange(1, len(array("risk")) + 1) / len(array("risk"))
    risk.plot(coverage, array("risk"), **line)


def _dot(axis: Axes, encoder: EvaluatedEncoder, evaluation: str, metric: str, row: int, color: str) -> None:
    value = encoder.metric(evaluation, metric)
    if value is None:
        return
    low, high = (encoder.metric(evaluation, f"{metric}_{end}") for end in ("low", "high"))
    if low is not None and high is not None:
        axis.plot([low, high], [row, row], color=color, linewidth=2)
    axis.plot([value], [row], "o", color=color, markersize=7)
    axis.annotate(f"{value:.3f}", (value, row), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=9)


def _quartiles(entry: dict[str, Any]) -> list[float]:
    """25 %, 50 % and 75 % points of a histogram."""
    counts, edges = np.array(entry["counts"]), np.array(entry["edges"])
    cumulative = np.concatenate([[0.0], counts.cumsum() / max(counts.sum(), 1)])
    return [float(np.interp(q, cumulative, edges)) for q in (0.25, 0.5, 0.75)]
