"""Groups beside labels (table 4)."""

import matplotlib as mpl
from matplotlib.figure import Figure

from qscore.report.collect import EvaluatedEncoder
from qscore.report.forced_choice.proxy_table import EVALUATION, grouping
from qscore.report.panels import STYLE, WIDTH_IN, Encoders, colors, label
from qscore.report.reverse_probing.measures import AMI, NMI, Measure, Table, dot, finite, full, metric, names

LIKENESS = (NMI, AMI, Measure("ari", "ARI (%)"))


def has_likeness(encoder: EvaluatedEncoder) -> bool:
    """Returns whether its groups stand beside labels."""
    return any(finite(encoder.metric(EVALUATION, m.name)) is not None for m in LIKENESS)


def likeness_figure(encoders: Encoders) -> Figure:
    """NMI, AMI and ARI of groups beside labels (table 4)."""
    drawn = [e for e in encoders if has_likeness(e)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.2 + 0.4 * len(drawn)))
        axes = figure.subplots(1, len(LIKENESS), sharey=True)
        for axis, measure in zip(axes, LIKENESS, strict=True):
            for row, (encoder, color) in enumerate(zip(drawn, colors(drawn), strict=True)):
                dot(axis, metric(encoder, measure.name, EVALUATION), row, measure, color=color)
            axis.set_xlabel(measure.title)
            axis.set_xlim(left=min(0, axis.get_xlim()[0]))
            axis.grid(axis="x", color="#DDDDDD")
        axes[0].set_yticks(range(len(drawn)), names(drawn))
        axes[0].set_ylim(len(drawn) - 0.5, -0.5)
    return figure


def likeness_table(encoders: Encoders) -> Table:
    """Returns table 4 as printed, with the mean purity of the groups."""
    header = ["Encoder", "Groups beside labels", *(m.title for m in LIKENESS), "Mean purity"]
    return header, [
        [label(e), grouping(e), *(m.said(metric(e, m.name, EVALUATION)) for m in LIKENESS), _purity(e)]
        for e in encoders
        if has_likeness(e)
    ]


def likeness_csv(encoders: Encoders) -> Table:
    """Returns the same at full precision, as fractions."""
    keys = [*(m.name for m in LIKENESS), "purity", "num_groups"]
    rows = [
        [label(e), grouping(e), *full(e.metric(EVALUATION, key) for key in keys)] for e in encoders if has_likeness(e)
    ]
    return ["encoder", "groups", *keys], rows


def _purity(encoder: EvaluatedEncoder) -> str:
    found = finite(encoder.metric(EVALUATION, "purity"))
    return "–" if found is None else f"{found:.3f}"
