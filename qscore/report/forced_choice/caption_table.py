"""How many captions of groups differ, and which come most often (table 5)."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qscore.report.collect import EvaluatedEncoder
from qscore.report.forced_choice.proxy_table import EVALUATION, grouping
from qscore.report.panels import BLUE, STYLE, WIDTH_IN, Encoders, elided, label
from qscore.report.reverse_probing.measures import Table, full

COUNTS = ("num_captions", "num_captions_without_stopwords", "num_groups")
LONGEST = 60


def frequent(encoder: EvaluatedEncoder) -> list[tuple[str, int]]:
    """Returns the most frequent captions and of how many groups each is."""
    found = [encoder.array(EVALUATION, f"frequent_{name}") for name in ("captions", "counts")]
    if any(array is None for array in found):
        return []
    return [(str(text), int(count)) for text, count in zip(*found, strict=True) if count]


def captions_figure(encoders: Encoders) -> Figure:
    """The most frequent captions of each encoder's groups."""
    drawn = [e for e in encoders if frequent(e)]
    heights = [0.6 + 0.26 * len(frequent(e)) for e in drawn]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 0.3 + sum(heights)))
        axes = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axis, encoder in zip(axes, drawn, strict=True):
            _draw(axis, encoder)
    return figure


def captions_table(encoders: Encoders) -> Table:
    """Returns table 5 as printed: one row an encoder and rank, with how many captions differ."""
    header = ["Encoder", "Groups", "different captions", "without stop words", "Rank", "Caption", "Count"]
    rows = []
    for encoder in filter(frequent, encoders):
        counts = [_whole(encoder.metric(EVALUATION, name)) for name in COUNTS[:2]]
        about = [label(encoder), grouping(encoder), *counts]
        for rank, (text, count) in enumerate(frequent(encoder), 1):
            rows.append([*(about if rank == 1 else [""] * len(about)), str(rank), text, str(count)])
    return header, rows


def captions_csv(encoders: Encoders) -> Table:
    """Returns the same with every cell filled."""
    return ["encoder", "groups", *COUNTS, "rank", "caption", "count"], [
        [label(e), grouping(e), *full(e.metric(EVALUATION, name) for name in COUNTS), str(rank), text, str(count)]
        for e in encoders
        for rank, (text, count) in enumerate(frequent(e), 1)
    ]


def _draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
    shown = frequent(encoder)
    axis.barh(range(len(shown)), [count for _, count in shown], color=BLUE, height=0.7)
    axis.set_yticks(range(len(shown)), [elided(text, LONGEST) for text, _ in shown], fontsize=9)
    axis.set_ylim(len(shown) - 0.5, -0.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    different, groups = (_whole(encoder.metric(EVALUATION, name)) for name in ("num_captions", "num_groups"))
    axis.set_title(f"{elided(label(encoder))}: {different} different captions of {groups} groups", loc="left")
    axis.set_xlabel("groups")


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"
