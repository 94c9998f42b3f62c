"""Who answered: how many, how fast, and who is left out by catch trials."""

from collections.abc import Iterable

import numpy as np

from qscore.interpretability.forced_choice.answers.rated import RATED
from qscore.interpretability.forced_choice.answers.said import Record

Found = tuple[dict[str, float | None], dict[str, np.ndarray], list[str]]


def annotators(records: Iterable[Record]) -> Found:
    """Returns metrics, arrays (an entry an annotator, in ascending order) and notes about who answered.

    Args:
        records: All of a study, with catch trials and with annotators that are left out.
    """
    given = list(records)
    names = sorted({record["annotator"] for record in given})
    places = {name: place for place, name in enumerate(names)}
    counts = np.zeros((3, len(names)), int)
    excluded = np.zeros(len(names), bool)
    seconds: list[list[float]] = [[] for _ in names]
    for record in given:
        place = places[record["annotator"]]
        excluded[place] = record["excluded"]
        if record["is_catch"]:
            counts[1:, place] += [bool(record["is_correct"]), 1]
            continue
        counts[0, place] += 1
        if record["response_ms"] is not None and record["condition"] != RATED:
            seconds[place].append(record["response_ms"] / 1000)
    answers, right, caught = counts
    kept = [value for place, each in enumerate(seconds) if not excluded[place] for value in each]
    metrics: dict[str, float | None] = {
        "num_answers": int(answers[~excluded].sum()),
        "num_annotators": len(names),
        "num_excluded": int(excluded.sum()),
        "num_catch_answers": int(caught.sum()),
        "catch_accuracy": float(right.sum() / caught.sum()) if caught.any() else None,
        "median_response_s": float(np.median(kept)) if kept else None,
    }
    arrays = {
        "annotator": np.array([str(name) for name in names], np.str_),
        "annotator_answers": answers,
        "annotator_catch_correct": right,
        "annotator_catch_answers": caught,
        "annotator_excluded": excluded,
        "annotator_median_s": np.array([np.median(each) if each else np.nan for each in seconds], float),
    }
    return metrics, arrays, _notes(answers, caught, excluded)


def _notes(answers: np.ndarray, caught: np.ndarray, excluded: np.ndarray) -> list[str]:
    if not caught.any():
        return ["No catch trial was answered: nothing shows whether the annotators looked."]
    if not excluded.any():
        return []
    return [
        f"{excluded.sum()} of {len(excluded)} annotators, with {answers[excluded].sum()} answers, are left out by the "
        "rule about catch trials that stood in study.json before anybody answered."
    ]
