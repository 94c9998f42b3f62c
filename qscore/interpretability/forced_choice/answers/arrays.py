"""The answers of a study as arrays of a result file; every table and figure is drawn from these."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qscore.interpretability.forced_choice.answers.paired import Paired
from qscore.interpretability.forced_choice.answers.parts import ALL, Part
from qscore.interpretability.forced_choice.answers.rated import describers
from qscore.interpretability.forced_choice.answers.ratings import SCALE, Rating, summarise_ratings
from qscore.interpretability.forced_choice.answers.said import Column, Record, Said
from qscore.interpretability.forced_choice.answers.scores import Score
from qscore.interpretability.forced_choice.questions.group_facts import StudyGroups
from qscore.interpretability.forced_choice.trials import DESCRIPTION
from qscore.interpretability.purity import PurityRange

Arrays = dict[str, np.ndarray]
NUMBERS = ("purity", "size", "mean_q", "information", "proxy")
TEXTS = ("kind", "band", "caption", "hard_negative", "common_label")


def column_arrays(said: Mapping[Column, Said]) -> Arrays:
    """Returns what each column is, and the median seconds of its answers; NaN where none were timed."""
    seconds = [float(np.median(each.seconds)) if each.seconds else np.nan for each in said.values()]
    return {
        "column_condition": _texts(column.condition for column in said),
        "column_negatives": _texts(column.negatives for column in said),
        "column_described_by": _texts(column.described_by for column in said),
        "column_median_s": np.array(seconds, float),
    }


def cell_arrays(divided: list[Part], cells: Mapping[tuple[int, int], Score]) -> Arrays:
    """Returns the parts, and one entry for each part and column that have answers."""
    ends = [part.ends or (np.nan, np.nan) for part in divided]
    found = list(cells.values())
    over_classes = [cell.over_classes for cell in found]
    return {
        "part_kind": _texts(part.kind for part in divided),
        "part": _texts(part.name for part in divided),
        "part_ends": np.array(ends, float).reshape(len(divided), 2),
        "cell_part": np.array([row for row, _ in cells], int),
        "cell_column": np.array([column for _, column in cells], int),
        "cell_correct": np.array([cell.pooled.num_correct for cell in found], int),
        "cell_answers": np.array([cell.pooled.num_answers for cell in found], int),
        "cell_groups": np.array([len(cell.by_class) for cell in found], int),
        "cell_low": np.array([cell.pooled.low for cell in found], float),
        "cell_high": np.array([cell.pooled.high for cell in found], float),
        "cell_class_low": np.array([np.nan if one is None else one.low for one in over_classes], float),
        "cell_class_high": np.array([np.nan if one is None else one.high for one in over_classes], float),
        "cell_alpha": np.array([cell.alpha for cell in found], float),
    }


def group_arrays(
    groups: list[str],
    known: StudyGroups,
    records: list[Record],
    cells: Mapping[tuple[int, int], Score],
    divided: list[Part],
    num_columns: int,
) -> Arrays:
    """Returns what is known of each group, its descriptions, and its score in each column; no answers where none."""
    facts = [known.of(group) for group in groups]
    arrays: Arrays = {"group": _texts(groups)}
    arrays |= {name: _numbers(getattr(about, name) for about in facts) for name in NUMBERS}
    arrays |= {name: _texts(getattr(about, name) for about in facts) for name in TEXTS}
    counts = np.zeros((2, len(groups), num_columns), int)
    ends = np.full((2, len(groups), num_columns), np.nan)
    for (row, column), cell in cells.items():
        if divided[row].name == ALL:
            for group, own in cell.by_class.items():
                counts[:, group, column] = own.num_correct, own.num_answers
                ends[:, group, column] = own.low, own.high
    arrays |= {"score_correct": counts[0], "score_answers": counts[1], "score_low": ends[0], "score_high": ends[1]}
    return arrays | _descriptions(groups, records)


def pair_arrays(pairs: Mapping[tuple[str, int, int], Paired]) -> Arrays:
    """Returns the comparisons over the same queries, by kind of groups and the numbers of both columns."""
    found = list(pairs.values())
    counts = ("num_queries", "first_only", "second_only", "num_tied")
    arrays = {f"pair_{name}": np.array([getattr(one, name) for one in found], int) for name in counts}
    values = ("p", "difference", "low", "high")
    arrays |= {f"pair_{name}": np.array([getattr(one, name) for one in found], float) for name in values}
    columns = np.array([both for _, *both in pairs], int).reshape(len(found), 2)
    return arrays | {"pair_kind": _texts(kind for kind, *_ in pairs), "pair_columns": columns}


def rating_arrays(divided: list[Part], rated: Mapping[str, list[Rating]]) -> Arrays:
    """Returns how often each value of the scale was given, one entry for each part and describer with ratings."""
    entries = []
    for whose, given in rated.items():
        ranges = [PurityRange(0.0, 1.0, tuple(sorted(part.groups)), len(part.groups)) for part in divided]
        summaries = summarise_ratings(given, ranges)
        entries += [(row, whose, found) for row, found in enumerate(summaries) if found.num_ratings]
    return {
        "rating_part": np.array([row for row, _, _ in entries], int),
        "rating_described_by": _texts(whose for _, whose, _ in entries),
        "rating_counts": np.array([found.counts for _, _, found in entries], int).reshape(len(entries), len(SCALE)),
        "rating_suits_one": _numbers(found.suits_one for _, _, found in entries),
    }


def _descriptions(groups: list[str], records: list[Record]) -> Arrays:
    whose = describers(records)
    found = {name for of_text in whose.values() for name in of_text}
    names = sorted(found, key=lambda name: Column(DESCRIPTION, "", name).order)
    table = np.full((len(groups), len(names)), "", dtype=object)
    for (group, text), of_text in whose.items():
        for name in of_text:
            table[groups.index(group), names.index(name)] = text
    return {"describer": _texts(names), "descriptions": table.astype(np.str_)}


def _texts(values: Iterable[Any]) -> np.ndarray:
    return np.array(list(values), dtype=np.str_)


def _numbers(values: Iterable[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)
