"""How well people say that descriptions fit, by the purity of the groups (fig. 5)."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.forced_choice.study import ALL, BANDS, Study
from qscore.report.forced_choice.study_tables import Table, full
from qscore.report.panels import BLUE, STYLE, WIDTH_IN, elided

SCALE = ("Extremely bad", "Bad", "Adequate", "Good", "Excellent")


class Rated(NamedTuple):
    """The ratings of one study's descriptions by one describer: a place for each of its parts."""

    study: Study
    described_by: str
    parts: list[str]
    is_by_purity: bool
    counts: np.ndarray
    suits_one: np.ndarray

    @property
    def title(self) -> str:
        """Study and describer."""
        return f"{elided(self.study.name)}{f', {self.described_by}' if self.described_by else ''}"


def rated(studies: list[Study]) -> list[Rated]:
    """Returns what was rated: by range of purity where there are ranges, else all together."""
    found = []
    for study in studies:
        whose = study["rating_described_by"]
        for name in dict.fromkeys(whose.tolist()):
            names = study["part"][study["rating_part"]]
            is_range = ~np.isin(names, [ALL, *BANDS])
            kept = (whose == name) & (is_range if (is_range & (whose == name)).any() else True)
            shown = [study.parts[row] for row in study["rating_part"][kept]]
            found.append(
                Rated(
                    study,
                    name,
                    shown,
                    bool(is_range[kept].all()),
                    study["rating_counts"][kept],
                    study["rating_suits_one"][kept],
                )
            )
    return found


def ratings_figure(studies: list[Study]) -> Figure:
    """A row a describer: how often each rating was given in each range (a), and the share of yes (b)."""
    shown = rated(studies)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 0.3 + 3.2 * len(shown)))
        grid = figure.subplots(len(shown), 2, squeeze=False, width_ratios=(3, 2))
        for (left, right), one in zip(grid, shown, strict=True):
            _draw_histogram(left, one)
            _draw_suits(right, one)
    return figure


def ratings_table(studies: list[Study]) -> Table:
    """Returns counts, mean and share of yes as printed."""
    header = ["Study", "Described by", "Groups", *SCALE, "Mean", "suits at least one, %"]
    return header, [
        [one.study.name, one.described_by or "–", part, *map(str, counts), f"{_mean(counts):.2f}", f"{100 * suits:.1f}"]
        for one in rated(studies)
        for part, counts, suits in zip(one.parts, one.counts.tolist(), one.suits_one.tolist(), strict=True)
    ]


def ratings_csv(studies: list[Study]) -> Table:
    """Returns the same at full precision, of every part."""
    header = ["study", "described_by", "part", *(str(value) for value in range(1, 6)), "mean", "suits_one"]
    rows = []
    for study in studies:
        entries = zip(study["rating_part"], study["rating_described_by"].tolist(), study["rating_counts"], strict=True)
        for i, (part, whose, counts) in enumerate(entries):
            numbers = full([_mean(counts), study["rating_suits_one"][i]])
            rows.append([study.name, whose, study.parts[part], *map(str, counts.tolist()), *numbers])
    return header, rows


def _mean(counts: np.ndarray | list[int]) -> float:
    return float(np.dot(counts, np.arange(1, 6)) / np.sum(counts))


def _draw_histogram(axis: Axes, one: Rated) -> None:
    shares = one.counts / one.counts.sum(1, keepdims=True)
    axis.imshow(shares.T, origin="lower", aspect="auto", cmap="Blues", vmin=0, vmax=1)
    for (column, row), count in np.ndenumerate(one.counts):
        if count:
            color = "white" if shares[column, row] > 0.5 else "black"
            axis.text(column, row, str(count), ha="center", va="center", fontsize=9, color=color)
    axis.set_yticks(range(5), [f"{name} {value}" for value, name in enumerate(SCALE, 1)], fontsize=9)
    axis.set_title(f"{one.title}: the group as a whole")
    _name_parts(axis, one)


def _draw_suits(axis: Axes, one: Rated) -> None:
    places = np.arange(len(one.parts))
    axis.plot(places, one.suits_one, "o-", color=BLUE)
    axis.set(ylim=(-0.03, 1.03), xlim=(-0.5, len(one.parts) - 0.5))
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.grid(axis="y", color="#DDDDDD")
    axis.set_title("suits at least one image")
    _name_parts(axis, one)


def _name_parts(axis: Axes, one: Rated) -> None:
    axis.set_xticks(range(len(one.parts)), one.parts, fontsize=9, rotation=30 if len(one.parts) > 4 else 0)
    axis.set_xlabel("purity" if one.is_by_purity else "")
