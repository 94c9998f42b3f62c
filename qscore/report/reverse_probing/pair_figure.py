"""Pairs of clusters as pictures: images of both, the concepts that differ most, and the same as a word cloud."""

from itertools import zip_longest

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qscore.report.panels import BLUE, GREY, STYLE, VERMILION, WIDTH_IN, Encoders, elided, label
from qscore.report.reverse_probing.cloud import lay_out
from qscore.report.reverse_probing.pairs import ClusterPair, pairs_of

MOST_PAIRS, MOST_CONCEPTS, MOST_WORDS, GRID = 12, 10, 30, 5
BAND_IN, GRID_IN, LOWER_IN = 3.5, 2.2, 0.35
# Left ends and widths of the parts of a band, in inches.
GRIDS_IN, BARS_IN, CLOUD_IN = (0.1, 2.45), (6.55, 1.05), (7.8, 2.6)
COLORS = (BLUE, VERMILION)


def confusion_pairs(encoders: Encoders) -> Figure:
    """A band a pair (figs. 5, 8 to 11); at most twelve, those that come first of every encoder."""
    shown = shown_pairs(encoders)
    with mpl.rc_context({**STYLE, "figure.constrained_layout.use": False}):
        figure = Figure(figsize=(WIDTH_IN, BAND_IN * len(shown)))
        for i, pair in enumerate(shown):
            _draw_band(figure, pair, BAND_IN * (len(shown) - 1 - i))
    return figure


def shown_pairs(encoders: Encoders) -> list[ClusterPair]:
    """Returns the pairs that are drawn, by encoder: as many of each as there is room for."""
    by_encoder = [pairs_of(encoder) for encoder in encoders]
    turns = [pair for turn in zip_longest(*by_encoder) for pair in turn if pair is not None]
    kept = {id(pair) for pair in turns[:MOST_PAIRS]}
    return [pair for pairs in by_encoder for pair in pairs if id(pair) in kept]


def mosaic(images: np.ndarray) -> np.ndarray:
    """Returns images (image, y, x, channel) as one picture of five by five with white lines between.

    >>> mosaic(np.zeros((3, 8, 8, 3), np.uint8)).shape
    (44, 44, 3)
    """
    size = images.shape[1]
    canvas = np.full((GRID * (size + 1) - 1, GRID * (size + 1) - 1, 3), 255, np.uint8)
    for i, image in enumerate(images[: GRID * GRID]):
        y, x = (place * (size + 1) for place in divmod(i, GRID))
        canvas[y : y + size, x : x + size] = image
    return canvas


def _draw_band(figure: Figure, pair: ClusterPair, bottom: float) -> None:
    width, height = figure.get_size_inches()

    def axis_at(left: float, wide: float) -> Axes:
        return figure.add_axes((left / width, (bottom + LOWER_IN) / height, wide / width, GRID_IN / height))

    x, y = GRIDS_IN[0] / width, (bottom + BAND_IN - 0.2) / height
    by = f": told apart by {elided(pair.group)}" if pair.group else ""
    figure.text(x, y, f"{elided(label(pair.encoder))}{by}", fontsize=10, fontweight="bold", va="center")
    figure.text(x, y - 0.2 / height, pair.numbers, fontsize=10, va="center")
    for place, (left, color) in enumerate(zip(GRIDS_IN, COLORS, strict=True)):
        _draw_grid(axis_at(left, GRID_IN), pair, place, color)
    if pair.concepts:
        _draw_bars(axis_at(*BARS_IN), pair)
        _draw_cloud(axis_at(*CLOUD_IN), pair)


def _draw_grid(axis: Axes, pair: ClusterPair, place: int, color: str) -> None:
    images = pair.images[place]
    if images is None:
        axis.text(0.5, 0.5, "no images kept", ha="center", va="center", color=GREY, transform=axis.transAxes)
    else:
        axis.imshow(mosaic(images), interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set_visible(True)
        side.set(color=color, linewidth=2)
    common = f"mostly {elided(pair.labels[place], 24)}" if pair.labels[place] else " "
    axis.set_title(f"cluster {pair.clusters[place]}\n{common}", fontsize=9, color=color)


def _draw_bars(axis: Axes, pair: ClusterPair) -> None:
    names, thetas = zip(*pair.concepts[:MOST_CONCEPTS], strict=True)
    chosen = [COLORS[0] if theta > 0 else COLORS[1] for theta in thetas]
    axis.barh(range(len(names)), thetas, color=chosen, height=0.7)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(range(len(names)), [elided(name, 26) for name in names], fontsize=8)
    axis.set_ylim(MOST_CONCEPTS - 0.5, -0.5)
    axis.locator_params(axis="x", nbins=3)
    axis.tick_params(axis="x", labelsize=8)
    axis.tick_params(axis="y", length=0)
    axis.set_title("θ of blue − θ of red", fontsize=9)


def _draw_cloud(axis: Axes, pair: ClusterPair) -> None:
    names, thetas = zip(*pair.concepts[:MOST_WORDS], strict=True)
    size = (72 * CLOUD_IN[1], 72 * GRID_IN)
    axis.set(xlim=(0, size[0]), ylim=(0, size[1]))
    axis.set_axis_off()
    for word in lay_out(names, thetas, *size):
        color = COLORS[0] if thetas[word.index] > 0 else COLORS[1]
        axis.text(word.x, word.y, names[word.index], fontsize=word.size, color=color, va="baseline")
