"""How the figures look: colours for roles, one panel an encoder."""

import math
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from qscore.report.collect import BASELINE, CONTROL, ENCODER, REGULARIZED, UNTRAINED, EvaluatedEncoder

# Okabe and Ito's palette: told apart with every kind of colour vision, and in print.
ORANGE, BLUE, GREEN, VERMILION, PURPLE, SKY = "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
GREY, LIGHT_GREY, BAND = "#555555", "#999999", "#CFE8F5"
ROLE_COLORS = {
    UNTRAINED: [LIGHT_GREY],
    BASELINE: [GREY],
    CONTROL: [BLUE, SKY],
    REGULARIZED: [VERMILION, ORANGE, PURPLE, GREEN],
    ENCODER: [GREEN],
}
ROLE_LINES = {UNTRAINED: (0, (1, 4)), BASELINE: ":", CONTROL: "--", REGULARIZED: "-", ENCODER: "-."}
STYLE: Any = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.hspace": 0.08,
    "figure.dpi": 150,
    "axes.titlesize": 11,
}
WIDTH_IN, PANEL_HEIGHT_IN = 10.5, 3.0
LONGEST = 38
MAX_COLUMNS = 2

Encoders = list[EvaluatedEncoder]


def panels(encoders: Encoders, evaluation: str, draw: Any, *, ylabel: str, height: float = PANEL_HEIGHT_IN) -> Figure:
    """Returns one panel for each encoder that has the evaluation, filled by `draw(axis, encoder)`."""
    drawn = [e for e in encoders if evaluation in e.results]
    num_columns = max(1, min(MAX_COLUMNS, len(drawn)))
    num_rows = max(1, math.ceil(len(drawn) / num_columns))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, height * num_rows))
        grid = figure.subplots(num_rows, num_columns, squeeze=False)
        for axis, encoder in zip(grid.flat, drawn, strict=False):
            draw(axis, encoder)
            axis.set_title(fill(elided(label(encoder), 2 * LONGEST), LONGEST), fontsize=11)
        for axis in grid.flat[len(drawn) :]:
            axis.set_visible(False)
        for row in grid:
            row[0].set_ylabel(ylabel)
    return figure


def rows(encoders: Encoders, evaluation: str, draw: Any, *, num_columns: int, height: float) -> Figure:
    """Returns a row of panels for each encoder that has the evaluation, filled by `draw(axes, encoder)`."""
    drawn = [e for e in encoders if evaluation in e.results]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, height * len(drawn)))
        for part, encoder in zip(figure.subfigures(len(drawn), 1, squeeze=False).flat, drawn, strict=True):
            draw(part.subplots(1, num_columns), encoder)
            part.suptitle(label(encoder), fontsize=11, fontweight="bold")
    return figure


def dominance_order(encoder: EvaluatedEncoder, evaluation: str = "dominance") -> tuple[np.ndarray, int, int]:
    """Returns the features by ascending count, and the first and last place of D, which is contiguous in that order."""
    counts, chosen = (encoder.array(evaluation, name) for name in ("counts", "discriminative"))
    order = np.argsort(counts, kind="stable")
    places = np.flatnonzero(chosen[order])
    return order, (int(places[0]) if len(places) else 0), (int(places[-1]) if len(places) else -1)


def colors(encoders: Encoders) -> list[str]:
    """Returns a colour for each encoder, from the palette of its role."""
    used = dict.fromkeys(ROLE_COLORS, 0)
    chosen = []
    for encoder in encoders:
        palette = ROLE_COLORS[encoder.role]
        chosen.append(palette[used[encoder.role] % len(palette)])
        used[encoder.role] += 1
    return chosen


def label(encoder: EvaluatedEncoder) -> str:
    """Returns the name of an encoder with its training seed."""
    seed = encoder.settings.get("seed")
    return encoder.name if seed is None else f"{encoder.name}, seed {seed}"


def elided(text: str, longest: int = LONGEST) -> str:
    """Returns a text with its middle left out where it is too long: names differ at their ends.

    >>> elided("a name without an end, seed 3", 16)
    'a name… seed 3'
    """
    kept = (longest - 2) // 2
    return text if len(text) <= longest else f"{text[:kept].rstrip()}… {text[-kept:].lstrip(' ,')}"
