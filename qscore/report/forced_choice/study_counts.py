"""What else is counted of studies: conditions set against one another over the same queries, and who answered."""

import math
from typing import Any

import numpy as np

from qscore.report.forced_choice.study import Study
from qscore.report.forced_choice.study_tables import Table, full, said
from qscore.report.statistics import holm

COUNTS = ("num_queries", "first_only", "second_only", "num_tied")


def comparison_table(studies: list[Study]) -> Table:
    """Returns every two conditions over the same queries as printed."""
    header = ["Study", "Groups", "First", "Second", "Queries", "right in the first only", "in the second only", "tied"]
    header += ["p (McNemar)", "p (Holm)", "difference, points"]
    rows = []
    for about, counts, p, adjusted, ends in _comparisons(studies):
        difference, low, high = (100 * end for end in ends)
        rows.append([*about, *map(str, counts), f"{p:.2g}", f"{adjusted:.2g}", _with_ends(difference, low, high)])
    return header, rows


def comparison_csv(studies: list[Study]) -> Table:
    """Returns the same at full precision, the difference as a fraction."""
    header = ["study", "kind", "first", "second", *COUNTS, "p", "p_holm"]
    return [*header, "difference", "difference_low", "difference_high"], [
        [*about, *map(str, counts), *full([p, adjusted, *ends])]
        for about, counts, p, adjusted, ends in _comparisons(studies)
    ]


def people_table(studies: list[Study]) -> Table:
    """Returns who answered, a row a study."""
    header = ["Study", "Annotators", "left out", "Answers", "Catch trials right", "Median time, s", "Groups"]
    rows = []
    for study in studies:
        found = study.result.metrics
        catch, seconds = found.get("catch_accuracy"), found.get("median_response_s")
        caught = said(None) if catch is None else f"{100 * catch:.1f} % of {found['num_catch_answers']}"
        counts = [str(found[f"num_{name}"]) for name in ("annotators", "excluded", "answers")]
        rows.append([study.name, *counts, caught, said(seconds), str(found["num_groups"])])
    return header, rows


def annotators_csv(studies: list[Study]) -> Table:
    """Returns every annotator, by number."""
    names = ["annotator", "answers", "catch_correct", "catch_answers", "excluded", "median_s"]
    arrays = ["annotator", *(f"annotator_{name}" for name in names[1:])]
    return ["study", *names], [
        [study.name, *(_plain(study[array][i]) for array in arrays)]
        for study in studies
        for i in range(len(study["annotator"]))
    ]


def _comparisons(studies: list[Study]) -> list[Any]:
    """Study, kind of groups and conditions, counts, p, p by Holm over all of the page, difference with its ends."""
    found = []
    for study in studies:
        pairs = study["pair_columns"].tolist()
        kinds = study.result.arrays.get("pair_kind", np.full(len(pairs), "")).tolist()  # once all kinds together
        for i, (kind, pair) in enumerate(zip(kinds, pairs, strict=True)):
            titles = [study.columns[place].title for place in pair]
            counts = [
                int(study[f"pair_{name}"][i]) for name in ("num_queries", "first_only", "second_only", "num_tied")
            ]
            ends = [float(study[f"pair_{name}"][i]) for name in ("difference", "low", "high")]
            found.append(([study.name, study.named(kind), *titles], counts, float(study["pair_p"][i]), ends))
    adjusted = holm([p for _, _, p, _ in found])
    return [(about, counts, p, q, ends) for (about, counts, p, ends), q in zip(found, adjusted, strict=True)]


def _with_ends(value: float, low: float, high: float) -> str:
    return f"{value:+.1f} [{low:+.1f},\u00a0{high:+.1f}]" if math.isfinite(low) else f"{value:+.1f}"


def _plain(value: Any) -> str:
    text = str(value)
    return "" if text == "nan" else text
