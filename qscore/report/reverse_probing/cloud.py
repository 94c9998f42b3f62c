"""A word cloud in rows: an own layout, since decoration on top of a ranked table is no reason for a dependency."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

LARGEST_PT, SMALLEST_PT = 22.0, 7.0
LEADING, GAP_EM = 1.3, 0.7


@dataclass(frozen=True)
class Word:
    """A placed word.

    Attributes:
        index: Which of the given words it is.
        x: Left end, in points from the left of the box.
        y: Baseline, in points from its bottom.
        width: In points.
        size: Of the font, in points.
    """

    index: int
    x: float
    y: float
    width: float
    size: float


def lay_out(words: Sequence[str], weights: Sequence[float], width: float, height: float) -> list[Word]:
    """Returns the words in centred rows inside a box, the heaviest first; those without room are left out.

    The size of a word goes from 7 points to that of the heaviest in proportion to |weight|. The heaviest starts at 22
    points and gives way until every word has room, or until it is hardly larger than the smallest.

    Args:
        words: Texts; empty ones are left out.
        weights: Of each; the sign does not matter.
        width: Of the box, in points.
        height: Likewise.
    """
    order = sorted((i for i, word in enumerate(words) if word.strip()), key=lambda i: -abs(weights[i]))
    if not order:
        return []
    heaviest = max(abs(weights[order[0]]), 1e-12)
    em = {i: _width(words[i]) for i in order}
    largest = LARGEST_PT
    while True:
        sizes = {i: SMALLEST_PT + (largest - SMALLEST_PT) * abs(weights[i]) / heaviest for i in order}
        placed = _rows(order, sizes, em, width, height)
        if len(placed) == len(order) or largest < 1.3 * SMALLEST_PT:
            return placed
        largest *= 0.92


def _rows(order: list[int], sizes: dict[int, float], em: dict[int, float], width: float, height: float) -> list[Word]:
    rows: list[list[int]] = [[]]
    used = 0.0
    for i in order:
        own = em[i] * sizes[i]
        if own > width:
            continue
        gap = GAP_EM * sizes[i] if rows[-1] else 0.0
        if used + gap + own > width:
            rows.append([])
            used, gap = 0.0, 0.0
        rows[-1].append(i)
        used += gap + own
    placed: list[Word] = []
    top = height
    for row in (row for row in rows if row):
        line = LEADING * sizes[row[0]]
        if line > top:
            break
        widths = [em[i] * sizes[i] for i in row]
        gaps = [0.0, *(GAP_EM * sizes[i] for i in row[1:])]
        x, baseline = (width - sum(widths) - sum(gaps)) / 2, top - line + 0.3 * sizes[row[0]]
        for i, gap, own in zip(row, gaps, widths, strict=True):
            placed.append(Word(i, x + gap, baseline, own, sizes[i]))
            x += gap + own
        top -= line
    return placed


def _width(word: str) -> float:
    """The width of a word at a size of 1 point."""
    return float(TextPath((0, 0), word, size=100, prop=FontProperties()).get_extents().x1) / 100
