"""Reverse probes on other data sets: those that were kept (table 7), and new clusters and probes (table 4)."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import GREY, STYLE, WIDTH_IN, Encoders, colors, elided, label
from qscore.report.reverse_probing.measures import (
    AMI,
    NATS,
    NMI,
    TOP1,
    TOP5,
    Table,
    dot,
    finite,
    full,
    metric,
    names,
)

EVALUATION = "reverse_transfer"
PANELS, MEASURES = (NATS, AMI, NMI, TOP1), (NATS, AMI, NMI, TOP1, TOP5)
SOURCE, KINDS = "source", {"stored": "kept clusters and probe", "own": "clustered and probed anew"}
SHUFFLED, CHANCE = "/shuffled", ", shuffled concepts"
Row = tuple[EvaluatedEncoder, str, str]


def datasets(encoder: EvaluatedEncoder) -> list[str]:
    """Returns the data sets that an encoder's probes were carried to."""
    found = encoder.array(EVALUATION, "datasets")
    return [] if found is None else [str(name) for name in found]


def reverse_transfer(encoders: Encoders) -> Figure:
    """Measures of each encoder on each data set: kept (filled) and anew (hollow); a line marks the source's own."""
    drawn = [e for e in encoders if datasets(e)]
    shown = list(dict.fromkeys(name for e in drawn for name in datasets(e)))
    height = 1.0 + (0.7 + 0.34 * len(drawn)) * len(shown)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, height))
        grid = figure.subplots(len(shown), len(PANELS), squeeze=False, sharey=True, sharex="col")
        for line, name in zip(grid, shown, strict=True):
            _draw_dataset(list(line), drawn, name)
        for axis, measure in zip(grid[-1], PANELS, strict=True):
            axis.set_xlabel(measure.title)
        grid[0][0].set_ylim(len(drawn) - 0.5, -0.5)
        figure.legend(handles=_handles(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def transfer_table(encoders: Encoders) -> Table:
    """Returns header and rows as printed."""
    rows = []
    for encoder, name, prefix in _every(encoders):
        said = [m.said(metric(encoder, f"{prefix}/{m.name}", EVALUATION)) for m in MEASURES]
        rows.append([label(encoder), name, _probe(prefix), *said])
    return ["Encoder", "Data set", "Probe", *(m.title for m in MEASURES)], rows


def transfer_csv(encoders: Encoders) -> Table:
    """Returns the measured numbers at full precision, as fractions."""
    chosen = [f"{m.name}{end}" for m in MEASURES for end in ("", "_sd")]
    return ["encoder", "data set", "probe", *chosen], [
        [
            label(encoder),
            name,
            prefix.removeprefix(f"{name}/"),
            *full(encoder.metric(EVALUATION, f"{prefix}/{key}") for key in chosen),
        ]
        for encoder, name, prefix in _every(encoders)
    ]


def _probe(prefix: str) -> str:
    """What a row of the table is about."""
    of_own = prefix.removesuffix(SHUFFLED)
    said = KINDS.get(of_own.rpartition("/")[2], "where it was fitted")
    return said if of_own == prefix else said + CHANCE


def _every(encoders: Encoders) -> list[Row]:
    """Encoder, data set, and what the names of its metrics begin with; parts without any are left out."""
    rows = []
    for encoder in encoders:
        places = [("source", SOURCE), *((name, f"{name}/{kind}") for name in datasets(encoder) for kind in KINDS)]
        every = [(name, prefix + kind) for name, prefix in places for kind in ("", SHUFFLED)]
        for name, prefix in every if datasets(encoder) else []:
            if any(finite(encoder.metric(EVALUATION, f"{prefix}/{m.name}")) is not None for m in MEASURES):
                rows.append((encoder, name, prefix))
    return rows


def _draw_dataset(axes: list[Axes], drawn: Encoders, name: str) -> None:
    for axis, measure in zip(axes, PANELS, strict=True):
        for row, (encoder, color) in enumerate(zip(drawn, colors(drawn), strict=True)):
            for kind, shift in (("stored", -0.13), ("own", 0.13)):
                at = metric(encoder, f"{name}/{kind}/{measure.name}", EVALUATION)
                dot(axis, at, row + shift, measure, color=color, hollow=kind == "own")
            source = metric(encoder, f"{SOURCE}/{measure.name}", EVALUATION)[0]
            if source is not None and name in datasets(encoder):
                axis.plot([measure.factor * source], [row], "|", color=GREY, markersize=18, markeredgewidth=1.5)
        if measure.above_chance:
            axis.axvline(0, color="black", linewidth=0.8)
        axis.grid(axis="x", color="#DDDDDD")
        axis.margins(x=0.12)
    axes[0].set_yticks(range(len(drawn)), names(drawn))
    axes[0].set_title(elided(name), fontsize=11, loc="left", fontweight="bold")


def _handles() -> list[Line2D]:
    kinds = (("o", KINDS["stored"], GREY), ("o", KINDS["own"], "white"), ("|", "where it was fitted", GREY))
    return [
        Line2D([], [], marker=marker, linestyle="", color=GREY, markerfacecolor=face, markersize=7, label=text)
        for marker, text, face in kinds
    ]
