"""What one group of concepts adds to the labels, paired by clustering, and what it adds when shuffled (table 3)."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import BLUE, LIGHT_GREY, Encoders, elided, label, panels, rows
from qscore.report.reverse_probing.measures import (
    AMI,
    EVALUATION,
    NATS,
    NMI,
    Measure,
    Table,
    dot,
    full,
    holding,
    spread,
    values,
)

KINDS = {"own": "added", "shuffled": "added_shuffled"}
MEASURES = (NATS, AMI, NMI)
TITLES = ("Information (nats)", "AMI (points)", "NMI (points)")
MANY = 6
has_added = holding("added")


def added_groups(encoders: Encoders) -> Figure:
    """Change by each group on top of the labels (filled) and by the same group shuffled (hollow), ± deviation.

    Of many encoders the information alone: three panels of each would be a figure of metres.
    """
    drawn = [e for e in encoders if has_added(e)]
    most = max(len(_groups(e)) for e in drawn)

    def draw(axes: np.ndarray, encoder: EvaluatedEncoder) -> None:
        for axis, measure, title in zip(axes, MEASURES, TITLES, strict=True):
            _draw(axis, encoder, measure, title, named=axis is axes[0])

    if len(drawn) <= MANY:
        return rows(drawn, EVALUATION, draw, num_columns=len(MEASURES), height=1.1 + 0.34 * most)
    return panels(drawn, EVALUATION, _draw, ylabel="", height=1.0 + 0.24 * most)


def added_table(encoders: Encoders) -> Table:
    """Returns header and rows as printed, mean and paired deviation."""
    header = ["Encoder", "Group", *(f"{title}{kind}" for title in TITLES for kind in ("", ", shuffled"))]
    found = []
    for about, own, shuffled in _every(encoders):
        pairs = zip(MEASURES, own, shuffled, strict=True)
        said = [m.said(spread(numbers), signed=True) for m, *both in pairs for numbers in both]
        found.append([*about, *said])
    return header, found


def added_csv(encoders: Encoders) -> Table:
    """Returns the change of every clustering at full precision, as fractions."""
    header = ["encoder", "group", "clustering", *(f"{m.name}{kind}" for m in MEASURES for kind in ("", "_shuffled"))]
    return header, [
        [*about, str(i), *full(numbers[i] for both in zip(own, shuffled, strict=True) for numbers in both)]
        for about, own, shuffled in _every(encoders)
        for i in range(own.shape[1])
    ]


def _draw(
    axis: Axes, encoder: EvaluatedEncoder, measure: Measure = NATS, title: str = TITLES[0], *, named: bool = True
) -> None:
    groups = _groups(encoder)
    for kind, name in KINDS.items():
        each = values(encoder, name, measure)
        shift, color = (-0.12, BLUE) if kind == "own" else (0.18, LIGHT_GREY)
        for row, numbers in enumerate([] if each is None else each):
            dot(axis, spread(numbers), row + shift, measure, color=color, hollow=kind == "shuffled")
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_xlabel(f"change: {title}", fontsize=9)
    axis.grid(axis="x", color="#DDDDDD")
    axis.margins(x=0.1)
    axis.set_yticks(range(len(groups)), [elided(g, 24) for g in groups] if named else [])
    axis.set_ylim(len(groups) - 0.5, -0.5)


def _groups(encoder: EvaluatedEncoder) -> list[str]:
    found = encoder.array(EVALUATION, "added_groups")
    return [] if found is None else [str(group) for group in found]


def _every(encoders: Encoders) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Encoder and group, with the changes (measure, clustering) by the group and by the group shuffled."""
    for encoder in (e for e in encoders if has_added(e)):
        num_clusterings = encoder.array(EVALUATION, "added").shape[1]
        for i, group in enumerate(_groups(encoder)):
            own, shuffled = (
                np.array([np.full(num_clusterings, np.nan) if v is None else v[i] for v in found])
                for found in ([values(encoder, name, m) for m in MEASURES] for name in KINDS.values())
            )
            yield [label(encoder), group], own, shuffled
