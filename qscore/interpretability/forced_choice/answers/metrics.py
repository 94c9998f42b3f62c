"""The numbers of a study by name: every column over all groups, and features inside the band against those outside."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from qscore.interpretability.forced_choice.answers.parts import ALL, BANDS, Part, difference
from qscore.interpretability.forced_choice.answers.said import Column, Said
from qscore.interpretability.forced_choice.answers.scores import Score

Cells = dict[tuple[int, int], Score]  # by part and column


def key(column: Column) -> str:
    """Returns the name of a column, such as "description/random/human"."""
    return "/".join(part for part in (column.condition, column.negatives, column.described_by) if part)


def means(divided: list[Part], cells: Cells, said: Mapping[Column, Said]) -> dict[str, float | None]:
    """Returns every column over all groups of a kind, with its ends and alpha; of two kinds, with the kind in front."""
    kinds = {part.kind for part in divided}
    metrics: dict[str, float | None] = {}
    for (row, place), cell in cells.items():
        if divided[row].name == ALL:
            name = "/".join([*([divided[row].kind] if len(kinds) > 1 else []), key(list(said)[place])])
            metrics |= {name: cell.pooled.mean, f"{name}_low": cell.pooled.low, f"{name}_high": cell.pooled.high}
            metrics[f"{name}_alpha"] = _defined(cell.alpha)
    return metrics


def features(
    divided: list[Part], cells: Cells, said: Mapping[Column, Said], confidence: float, seed: int
) -> dict[str, float | None]:
    """Returns discriminative features against those outside of the band, a column each where both have answers."""
    rows = {part.name: row for row, part in enumerate(divided) if part.name in BANDS}
    metrics: dict[str, float | None] = {}
    for place, column in enumerate(said):
        both = [cells.get((rows[band], place)) for band in BANDS if band in rows]
        if len(both) < len(BANDS) or None in both:
            continue
        name = f"features/{key(column)}"
        inside, outside = (_counts(cell) for cell in both if cell is not None)
        ends = difference(inside, outside, confidence=confidence, seed=seed)
        metrics |= {f"{name}/{band}": cell.pooled.mean for band, cell in zip(BANDS, both, strict=True) if cell}
        names = ("difference", "difference_low", "difference_high")
        metrics |= {f"{name}/{end}": _defined(value) for end, value in zip(names, ends, strict=True)}
    return metrics


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _counts(cell: Score) -> Int[np.ndarray, "2 group"]:
    return np.array([[one.num_correct, one.num_answers] for one in cell.by_class.values()]).T
