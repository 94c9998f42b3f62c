"""What groups of concepts say when they are added one after another, with labels and without (fig. 4)."""

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import (
    BLUE,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILION,
    WIDTH_IN,
    Encoders,
    elided,
    label,
)
from qscore.report.reverse_probing.measures import (
    AMI,
    EVALUATION,
    NATS,
    NMI,
    TOP1,
    Measure,
    Table,
    full,
    holding,
    spread,
    values,
)

WITH_LABELS, SHUFFLED = "with labels", "all, shuffled"
KINDS = {WITH_LABELS: "cumulative", "without labels": "cumulative_without"}
PALETTE = (LIGHT_GREY, BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
HATCHES = ("", "....", "xxx", "\\\\\\")
WIDE, NARROW = 0.7, 0.3
TABLE_MEASURES = (NATS, AMI, NMI, TOP1)
has_cumulative = holding(*KINDS.values())


def cumulative_bars(encoders: Encoders) -> Figure:
    """Information and top-1 as groups are added one by one, two bars an encoder; narrow pieces took something away."""
    bars = [(e, kind) for e in encoders for kind, name in KINDS.items() if holding(name)(e)]
    groups = list(dict.fromkeys(_group(step) for encoder, kind in bars for step in _steps(encoder, kind)))
    num_lines = -(-len(groups) // 4)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 0.9 + 0.25 * num_lines + 0.36 * max(len(bars), 2)))
        axes = figure.subplots(1, 2, sharey=True)
        for axis, measure in zip(axes, (NATS, TOP1), strict=True):
            for row, (encoder, kind) in enumerate(bars):
                _draw_bar(axis, encoder, kind, measure, row, groups)
            axis.use_sticky_edges = False
            axis.axvline(0, color="black", linewidth=0.8)
            axis.set_xlabel(measure.title)
        said = [f"{elided(label(e), 30)}, {kind}" for e, kind in bars]
        axes[0].set_yticks(range(len(bars)), said, fontsize=9)
        axes[0].set_ylim(len(bars) - 0.4, -0.6)
        handles = [Patch(label=elided(group, 22), **_face(i)) for i, group in enumerate(groups)]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def cumulative_table(encoders: Encoders) -> Table:
    """Returns header and rows as printed, one a step: mean and deviation over clusterings."""
    header = ["Encoder", "Labels", "Concepts", *(m.title for m in TABLE_MEASURES)]
    rows = [
        [*about, *(m.said(spread(numbers)) for m, numbers in zip(TABLE_MEASURES, each, strict=True))]
        for about, each in _every(encoders)
    ]
    return header, rows


def cumulative_csv(encoders: Encoders) -> Table:
    """Returns every clustering of every step at full precision."""
    header = ["encoder", "labels", "concepts", "clustering", *(m.name for m in TABLE_MEASURES)]
    return header, [
        [*about, str(i), *full(each[:, i])] for about, each in _every(encoders) for i in range(each.shape[1])
    ]


def _draw_bar(axis: Axes, encoder: EvaluatedEncoder, kind: str, measure: Measure, row: int, groups: list[str]) -> None:
    found = values(encoder, KINDS[kind], measure)
    if found is None:
        return
    level = 0.0
    for step, numbers in zip(_steps(encoder, kind), found, strict=True):
        mean, deviation = spread(numbers)
        if mean is None:
            continue
        new = measure.factor * mean
        height = WIDE if new >= level else NARROW
        axis.barh(
            row, new - level, height, level, edgecolor="white", linewidth=0.5, **_face(groups.index(_group(step)))
        )
        level = new
    if len(found) and deviation is not None:
        axis.errorbar(level, row, xerr=measure.factor * deviation, color="black", linewidth=1.2, capsize=2)


def _every(encoders: Encoders) -> Iterator[tuple[list[str], np.ndarray]]:
    """Encoder, kind and step, with the measures of each clustering (measure, clustering)."""
    for encoder in encoders:
        for kind, name in KINDS.items():
            found = {m: values(encoder, name, m) for m in TABLE_MEASURES}
            for i, step in enumerate(_steps(encoder, kind)):
                known = next(v for v in found.values() if v is not None)
                each = [np.full(known.shape[1], np.nan) if v is None else v[i] for v in found.values()]
                yield [label(encoder), kind, step], np.array(each)
        if _steps(encoder, WITH_LABELS):
            chance = [values(encoder, "shuffled", m) for m in TABLE_MEASURES]
            num = next((len(v) for v in chance if v is not None), 0)
            each = [np.full(num, np.nan) if v is None else v.mean(1) for v in chance]
            yield [label(encoder), "", SHUFFLED], np.array(each).reshape(len(chance), num)


def _steps(encoder: EvaluatedEncoder, kind: str) -> list[str]:
    steps = encoder.array(EVALUATION, f"{KINDS[kind]}_steps")
    return [] if steps is None else [str(step) for step in steps]


def _group(step: str) -> str:
    return step.removeprefix("+").strip()


def _face(i: int) -> dict[str, Any]:
    return {"facecolor": PALETTE[i % len(PALETTE)], "hatch": HATCHES[i // len(PALETTE) % len(HATCHES)]}
