"""The numbers of a study by name: every column over all groups, and features inside the band against those outside."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from qscore.interpretability.forced_choice.answers.parts import ALL, BANDS, OTHER, Part, difference
from qscore.interpretability.forced_choice.answers.said import Column, Said
from qscore.interpretability.forced_choice.answers.scores import Score
from qscore.interpretability.forced_choice.automatic.sides import compare_sides

Cells = dict[tuple[int, int], Score]  # by part and column
ADJUSTED = tuple(f"difference_adjusted{end}" for end in ("", "_low", "_high"))


def key(column: Column) -> str:
    """Returns the name of a column, such as "description/random/human"."""
    return "/".join(part for part in (column.condition, column.negatives, column.described_by) if part)


def means(divided: list[Part], cells: Cells, said: Mapping[Column, Said]) -> dict[str, float | None]:
    """Returns every column over all groups of a kind, with its ends and alpha; of two kinds, with the kind in front."""
    kinds = {part.kind for part in divided}
    metrics: dict[str, float | None] = {}
    for (row, place), cell in cells.items():
        if divided[row].name == ALL:
            name = "/".join([*([divided[row].kind or OTHER] if len(kinds) > 1 else []), key(list(said)[place])])
            metrics |= {name: cell.pooled.mean, f"{name}_low": cell.pooled.low, f"{name}_high": cell.pooled.high}
            metrics[f"{name}_alpha"] = _defined(cell.alpha)
    return metrics


def features(
    divided: list[Part],
    cells: Cells,
    said: Mapping[Column, Said],
    sizes: Sequence[int | None],
    confidence: float,
    seed: int,
) -> dict[str, float | None]:
    """Returns discriminative features against those outside of the band, a column each where both have answers.

    The plain difference is of all answers; the one adjusted for the logarithm of the size is of the features' shares,
    see `compare_sides`, and None where fewer than 2 of a side are of a known size.

    Args:
        divided: The parts.
        cells: Scores of parts and columns.
        said: The columns.
        sizes: Of each group, by its place.
        confidence: Of the intervals.
        seed: Of the draws.
    """
    rows = {part.name: row for row, part in enumerate(divided) if part.name in BANDS}
    metrics: dict[str, float | None] = {}
    for place, column in enumerate(said):
        both = [cell for band in BANDS if band in rows and (cell := cells.get((rows[band], place))) is not None]
        if len(both) < len(BANDS):
            continue
        name = f"features/{key(column)}"
        inside, outside = (_counts(cell) for cell in both)
        ends = difference(inside, outside, confidence=confidence, seed=seed)
        metrics |= {f"{name}/{band}": cell.pooled.mean for band, cell in zip(BANDS, both, strict=True)}
        metrics |= {f"{name}/{end}": value for end, value in _adjusted(both, sizes, confidence, seed).items()}
        names = ("difference", "difference_low", "difference_high")
        metrics |= {f"{name}/{end}": _defined(value) for end, value in zip(names, ends, strict=True)}
    return metrics


def _adjusted(both: list[Score], sizes: Sequence[int | None], confidence: float, seed: int) -> dict[str, float | None]:
    known = [
        (own.mean, side == 0, size)
        for side, cell in enumerate(both)
        for group, own in cell.by_class.items()
        if (size := sizes[group])
    ]
    if not known:
        return dict.fromkeys(ADJUSTED, None)
    values, inside, of_size = map(np.array, zip(*known, strict=True))
    found = compare_sides(values, inside, of_size, confidence=confidence, seed=seed)
    return {name: found.get(name) for name in ADJUSTED}


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _counts(cell: Score) -> Int[np.ndarray, "2 group"]:
    return np.array([[one.num_correct, one.num_answers] for one in cell.by_class.values()]).T
