"""Two vocabularies side by side (fig. 7): the wider a ribbon, the more maps are in both concepts; colours: matched."""

from collections.abc import Sequence
from html import escape
from itertools import accumulate
from textwrap import wrap

from qscore.report.naming.families import Ribbon, Vocabularies, Word
from qscore.report.panels import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, elided

WIDTH, BAR, LABEL, FONT = 400, 10, 112, 14  # the words have 12 px on a phone of 390
LEFT, RIGHT = LABEL + 8, WIDTH - LABEL - 8 - BAR
LINE, GAP, MAPS_HEIGHT = 17, 9, 220  # height of a line of words, between two concepts, of all maps of a side
LONGEST, MOST_LINES = 14, 3
COLORS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, "#8C6D31", "#17807E", "#7B4173", "#637939")
UNMATCHED = "#B5B5B5"
SIGNS = {"exact": "=", "subset": "≈", "none": "≠"}  # which of two names is the part, nobody is asked
IN_WORDS = {"exact": "the same", "subset": "one is part of the other", "none": "not the same"}


def bipartite(words: Vocabularies, title: str) -> str:
    """Returns the picture as SVG.

    Args:
        words: Of both annotators.
        title: For those who cannot see it.
    """
    scale = min(9.0, MAPS_HEIGHT / max(1, sum(word.weight for word in words.left)))
    tops = [_tops(side, scale) for side in (words.left, words.right)]
    height = max(top[-1] for top in tops)
    tops = [[y + (height - top[-1]) / 2 for y in top] for top in tops]
    parts = [*_ribbons(words, tops, scale), *_side(words.left, tops[0], scale, is_left=True)]
    parts += _side(words.right, tops[1], scale, is_left=False)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title, quote=True)}" '
        f'font-family="system-ui, sans-serif" font-size="{FONT}">{"".join(parts)}</svg>'
    )


def _tops(side: Sequence[Word], scale: float) -> list[float]:
    """Upper ends of the places of concepts, and at the end the lower end of all."""
    return list(accumulate((_slot(word, scale) + GAP for word in side), initial=0.0))


def _slot(word: Word, scale: float) -> float:
    return max(LINE * len(_lines(word)), word.weight * scale)


def _lines(word: Word) -> list[str]:
    return wrap(f"{elided(word.name, MOST_LINES * LONGEST - 14)}\u00a0·\u00a0{word.weight}", LONGEST)[:MOST_LINES] or [
        ""
    ]


def _bar_top(word: Word, top: float, scale: float) -> float:
    return top + (_slot(word, scale) - word.weight * scale + GAP) / 2


def _color(family: int | None) -> str:
    return UNMATCHED if family is None else COLORS[family % len(COLORS)]


def _side(side: Sequence[Word], tops: list[float], scale: float, *, is_left: bool) -> list[str]:
    x, at, anchor = (LEFT, LEFT - 8, "end") if is_left else (RIGHT, RIGHT + BAR + 8, "start")
    parts = []
    for word, top in zip(side, tops, strict=False):
        y, tall = _bar_top(word, top, scale), word.weight * scale
        lines = _lines(word)
        first = y + tall / 2 + 4.5 - LINE * (len(lines) - 1) / 2
        said = "".join(
            f'<tspan x="{at}" y="{first + LINE * i:.1f}">{escape(line)}</tspan>' for i, line in enumerate(lines)
        )
        parts.append(
            f'<rect x="{x}" y="{y:.1f}" width="{BAR}" height="{tall:.1f}" fill="{_color(word.family)}"/>'
            f'<text text-anchor="{anchor}">{said}<title>{escape(word.name)}: {word.weight} maps</title></text>'
        )
    return parts


def _ribbons(words: Vocabularies, tops: list[list[float]], scale: float) -> list[str]:
    """Ribbons, those not matched below the others, and the relation of the names on those matched."""
    used = [
        [_bar_top(word, top, scale) for word, top in zip(side, of, strict=False)] for side, of in _sides(words, tops)
    ]
    drawn: list[tuple[bool, str, str]] = []
    for ribbon in words.ribbons:
        wide = ribbon.weight * scale
        y, z = used[0][ribbon.left], used[1][ribbon.right]
        used[0][ribbon.left] += wide
        used[1][ribbon.right] += wide
        is_matched = ribbon.family is not None
        shape = (
            f'<path d="{_path(y, z, wide)}" fill="{_color(ribbon.family)}" '
            f'fill-opacity="{0.6 if is_matched else 0.3}"><title>{_told(words, ribbon)}</title></path>'
        )
        drawn.append((is_matched, shape, _sign((y + z + wide) / 2, ribbon) if is_matched else ""))
    drawn.sort(key=lambda part: part[0])
    return [shape for _, shape, _ in drawn] + [sign for _, _, sign in drawn]


def _sides(words: Vocabularies, tops: list[list[float]]) -> list[tuple[tuple[Word, ...], list[float]]]:
    return list(zip((words.left, words.right), tops, strict=True))


def _path(y: float, z: float, wide: float) -> str:
    x, w = LEFT + BAR, RIGHT
    middle = (x + w) / 2
    return (
        f"M{x} {y:.1f}C{middle:.0f} {y:.1f} {middle:.0f} {z:.1f} {w} {z:.1f}V{z + wide:.1f}"
        f"C{middle:.0f} {z + wide:.1f} {middle:.0f} {y + wide:.1f} {x} {y + wide:.1f}Z"
    )


def _sign(y: float, ribbon: Ribbon) -> str:
    return (
        f'<text x="{(LEFT + BAR + RIGHT) / 2:.0f}" y="{y + 5:.1f}" text-anchor="middle" font-size="15" '
        f'font-weight="600" stroke="#fff" stroke-width="3" paint-order="stroke">{SIGNS[ribbon.relation]}</text>'
    )


def _told(words: Vocabularies, ribbon: Ribbon) -> str:
    names = f"{words.left[ribbon.left].name} – {words.right[ribbon.right].name}"
    who = "confirmed" if ribbon.is_confirmed else "by rule"
    return escape(f"{names}: {ribbon.weight} maps; the names: {IN_WORDS[ribbon.relation]} ({who})")
