"""Groups beside labels, and beside those of other encoders (table 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from qscore.interpretability.likeness import likeness
from qscore.report.collect import EvaluatedEncoder
from qscore.report.forced_choice.proxy_table import EVALUATION, grouping
from qscore.report.panels import BLUE, GREY, STYLE, WIDTH_IN, Encoders, elided, label
from qscore.report.reverse_probing.measures import AMI, NMI, Measure, Table, dot, finite, full

LABELS = "labels"
MOST_PAIRED = 4  # of more encoders, each stands beside the first
LIKENESS = (NMI, AMI, Measure("ari", "ARI (%)"))


def has_likeness(encoder: EvaluatedEncoder) -> bool:
    """Returns whether its groups stand beside labels."""
    return any(finite(encoder.metric(EVALUATION, m.name)) is not None for m in LIKENESS)


def likeness_figure(encoders: Encoders) -> Figure:
    """NMI, AMI and ARI of groups beside labels, and of groups of two encoders (table 4)."""
    shown = _pairs(encoders)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.2 + 0.4 * len(shown)))
        axes = figure.subplots(1, len(LIKENESS), sharey=True)
        for axis, measure in zip(axes, LIKENESS, strict=True):
            for row, pair in enumerate(shown):
                color = BLUE if pair.second == LABELS else GREY
                dot(axis, (pair.values[measure.name], None), row, measure, color=color)
            axis.set_xlabel(measure.title)
            axis.set_xlim(left=min(0, axis.get_xlim()[0]))
            axis.grid(axis="x", color="#DDDDDD")
        axes[0].set_yticks(range(len(shown)), [f"{elided(pair.first)} – {elided(pair.second)}" for pair in shown])
        axes[0].set_ylim(len(shown) - 0.5, -0.5)
    return figure


def likeness_table(encoders: Encoders) -> Table:
    """Returns table 4 as printed, with the mean purity of the groups."""
    header = ["Encoder", "Groups", "Beside", *(m.title for m in LIKENESS), "Mean purity"]
    return header, [
        [pair.first, pair.groups, pair.second, *(m.said((pair.values[m.name], None)) for m in LIKENESS), pair.purity]
        for pair in _pairs(encoders)
    ]


def likeness_csv(encoders: Encoders) -> Table:
    """Returns the same at full precision, as fractions."""
    keys = [m.name for m in LIKENESS]
    rows = [[p.first, p.groups, p.second, *full(p.values[key] for key in keys)] for p in _pairs(encoders)]
    return ["encoder", "groups", "beside", *keys], rows


@dataclass(frozen=True)
class _Pair:
    """A row of table 4: the groups of an encoder beside labels, or beside those of another encoder."""

    first: str
    groups: str
    second: str
    values: Mapping[str, float | None]
    purity: str


def _pairs(encoders: Encoders) -> list[_Pair]:
    drawn = [e for e in encoders if has_likeness(e)]
    beside_labels = [
        _Pair(label(e), grouping(e), LABELS, {m.name: e.metric(EVALUATION, m.name) for m in LIKENESS}, _purity(e))
        for e in drawn
    ]
    grouped = [e for e in encoders if e.array(EVALUATION, "clusters") is not None]
    pairs = list(combinations(grouped, 2)) if len(grouped) <= MOST_PAIRED else [(grouped[0], e) for e in grouped[1:]]
    return beside_labels + [_pair(one, other) for one, other in pairs if _images(one) == _images(other)]


def _pair(one: EvaluatedEncoder, other: EvaluatedEncoder) -> _Pair:
    clusters = [np.asarray(e.array(EVALUATION, "clusters")) for e in (one, other)]
    found = likeness(*clusters)
    values = {m.name: finite(getattr(found, m.name)) for m in LIKENESS}
    return _Pair(label(one), f"{grouping(one)}; {grouping(other)}", label(other), values, "–")


def _images(encoder: EvaluatedEncoder) -> tuple[object, int]:
    """What tells whether two encoders grouped the same images."""
    images = encoder.results[EVALUATION].settings.get("images")
    return images, len(np.asarray(encoder.array(EVALUATION, "clusters")))


def _purity(encoder: EvaluatedEncoder) -> str:
    found = finite(encoder.metric(EVALUATION, "purity"))
    return "–" if found is None else f"{found:.3f}"
