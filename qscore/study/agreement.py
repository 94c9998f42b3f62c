"""Agreement between annotators, for the owner's page."""

import importlib
from collections.abc import Sequence
from typing import Any


def agreement(answers: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Returns Krippendorff's alpha of the chosen sides, a condition a line.

    Args:
        answers: records of `export.answers`; catch trials and annotators that are left out do not count.
    """
    values = {}
    for condition in ("images", "description"):
        sides: dict[tuple[int, str], float] = {
            (answer["annotator"], answer["trial"]): float(answer["choice"] == "right")
            for answer in answers
            if answer["condition"] == condition and not answer["is_catch"] and not answer["excluded"]
        }
        if sides:
            values[f"Krippendorff's alpha, {condition}"] = _alpha(sides)
    return values


def _alpha(sides: dict[tuple[int, str], float]) -> str:
    # Loaded when first asked for: a server that nobody asks for agreement starts without NumPy.
    numpy = importlib.import_module("numpy")
    try:
        measures = importlib.import_module("qscore.interpretability.forced_choice.coherence")
    except ModuleNotFoundError as error:
        return f"not measured: {error}"
    rows = {annotator: row for row, annotator in enumerate(sorted({annotator for annotator, _ in sides}))}
    columns = {trial: column for column, trial in enumerate(sorted({trial for _, trial in sides}))}
    table = numpy.full((len(rows), len(columns)), numpy.nan)
    for (annotator, trial), side in sides.items():
        table[rows[annotator], columns[trial]] = side
    alpha = measures.krippendorff_alpha(table)
    return "undefined so far" if numpy.isnan(alpha) else f"{alpha:.3f}"
