"""The measures over the number of clusters (figs. 6 and 7)."""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILION,
    WIDTH_IN,
    Encoders,
    colors,
    label,
)
from qscore.report.reverse_probing.measures import (
    AMI,
    EVALUATION,
    FRACTION,
    MAP,
    NATS,
    NMI,
    TOP1,
    Measure,
    Table,
    full,
    holding,
    names,
    spread,
    values,
)

PANELS = (NATS, FRACTION, AMI, NMI, TOP1, MAP)
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY)
MARKERS = "os^vP*X"
WIDE = 8.0
KINDS = {"own": "by_k", "shuffled": "by_k_shuffled"}
has_sweep = holding("by_k")


def k_sweep(encoders: Encoders) -> Figure:
    """Each measure over the number of clusters, one line an encoder, ± deviation over clusterings."""
    drawn = [e for e in encoders if has_sweep(e)]
    ks = sorted({int(k) for e in drawn for k in e.array(EVALUATION, "ks")})
    num_lines = -(-len(drawn) // 3)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 5.6 + 0.22 * num_lines))
        for axis, measure in zip(figure.subplots(2, 3, sharex=True).flat, PANELS, strict=True):
            for encoder, (color, marker) in zip(drawn, told_apart(drawn), strict=True):
                _draw_line(axis, encoder, measure, color, marker)
                _draw_chance(axis, encoder, measure, color)
            axis.set_title(measure.title)
            axis.grid(color="#EEEEEE")
            if ks[-1] > WIDE * ks[0]:
                axis.set_xscale("log")
            axis.xaxis.set_minor_locator(NullLocator())
            axis.set_xticks(_ticks(ks), [f"{k}" for k in _ticks(ks)])
        for axis in figure.axes[3:]:
            axis.set_xlabel("clusters K")
        handles = figure.axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def sweep_table(encoders: Encoders) -> Table:
    """Returns header and rows as printed, one a number of clusters."""
    rows = [
        [label(encoder), str(k), kind, *(m.said(spread(numbers)) for m, numbers in zip(PANELS, each, strict=True))]
        for encoder, k, kind, each in _every(encoders)
    ]
    return ["Encoder", "Clusters", "Concepts", *(m.title for m in PANELS)], rows


def sweep_csv(encoders: Encoders) -> Table:
    """Returns every clustering at full precision."""
    header = ["encoder", "clusters", "concepts", "clustering", *(m.name for m in PANELS)]
    return header, [
        [label(encoder), str(k), kind, str(i), *full(each[:, i])]
        for encoder, k, kind, each in _every(encoders)
        for i in range(each.shape[1])
    ]


def told_apart(encoders: Encoders) -> list[tuple[str, str]]:
    """Returns colour and marker of lines in one panel: the colours of the roles where these are enough.

    No two of 49 are alike.
    """
    by_role = colors(encoders)
    if len(set(by_role)) == len(by_role):
        return [(color, "o") for color in by_role]
    return [(PALETTE[i % len(PALETTE)], MARKERS[i // len(PALETTE) % len(MARKERS)]) for i in range(len(encoders))]


def _draw_line(axis: Axes, encoder: EvaluatedEncoder, measure: Measure, color: str, marker: str) -> None:
    each = values(encoder, "by_k", measure)
    if each is None:
        return
    found = [(k, *spread(numbers)) for k, numbers in zip(encoder.array(EVALUATION, "ks"), each, strict=True)]
    known = sorted(
        (int(k), measure.factor * mean, measure.factor * (sd or 0.0)) for k, mean, sd in found if mean is not None
    )
    if not known:
        return
    x, y, error = zip(*known, strict=True)
    (name,) = names([encoder])
    axis.errorbar(x, y, yerr=error, color=color, marker=marker, markersize=5, linewidth=1.5, elinewidth=1, label=name)


def _draw_chance(axis: Axes, encoder: EvaluatedEncoder, measure: Measure, color: str) -> None:
    """The same concepts dealt to other images, dotted."""
    each = values(encoder, KINDS["shuffled"], measure)
    if each is not None:
        points = sorted(zip(encoder.array(EVALUATION, "ks").tolist(), measure.factor * each.mean(1), strict=True))
        axis.plot(*zip(*points, strict=True), ":", color=color, linewidth=1.2)


def _ticks(ks: list[int]) -> list[int]:
    """At most six of the values: the first, the last, and some between."""
    return ks if len(ks) <= 6 else [ks[round(i)] for i in np.linspace(0, len(ks) - 1, 6)]


def _every(encoders: Encoders) -> Iterator[tuple[EvaluatedEncoder, int, str, np.ndarray]]:
    """Encoder, number of clusters, whose concepts, and the measures (measure, clustering)."""
    for encoder in (e for e in encoders if has_sweep(e)):
        num_clusterings = encoder.array(EVALUATION, "by_k").shape[1]
        found = {kind: [values(encoder, name, m) for m in PANELS] for kind, name in KINDS.items()}
        for i, k in enumerate(encoder.array(EVALUATION, "ks")):
            for kind, each in found.items():
                if any(v is not None for v in each):
                    rows = [np.full(num_clusterings, np.nan) if v is None else v[i] for v in each]
                    yield encoder, int(k), kind, np.array(rows)
