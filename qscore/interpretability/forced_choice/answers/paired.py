"""The same queries under two conditions: is one of them easier?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int
from scipy.stats import binomtest

from qscore.interpretability.forced_choice.coherence import CONFIDENCE

NUM_RESAMPLES = 10_000


class Query(NamedTuple):
    """The answers to the two queries of a trial: of which class, how many are right, how many there are."""

    group: str
    num_correct: int
    num_answers: int


@dataclass(frozen=True)
class Paired:
    """Two conditions over the queries that both were asked about.

    Attributes:
        num_queries: Asked in both.
        first_only: Queries that most annotators got right in the first alone.
        second_only: In the second alone.
        num_tied: With as many right as wrong answers in either; they decide nothing.
        p: Of McNemar's exact test, two-sided, not corrected for several comparisons.
        difference: Share of right answers in the first minus that in the second.
        low: Lower end of its interval over classes; NaN for a single class.
        high: Its upper end.
    """

    num_queries: int
    first_only: int
    second_only: int
    num_tied: int
    p: float
    difference: float
    low: float
    high: float


def mcnemar(first_only: int, second_only: int) -> float:
    """Returns the two-sided p of McNemar's exact test (Psychometrika 1947, doi 10.1007/BF02295996); 1 if none changed.

    >>> mcnemar(0, 6)   # 2 / 2^6
    0.03125
    """
    changed = first_only + second_only
    return float(binomtest(first_only, changed).pvalue) if changed else 1.0


def paired(
    first: Mapping[str, Query], second: Mapping[str, Query], *, confidence: float = CONFIDENCE, seed: int = 0
) -> Paired | None:
    """Returns how two conditions differ over the same queries.

    The test counts a query once, by the majority of its answers: three answers to the same two images are not three
    independent pairs, and different annotators gave them, whom nothing pairs (a second look at a query is no first one,
    so that a study shows it to nobody twice). It takes queries for independent, so that it speaks of these classes; the
    interval of the difference is by drawing classes again, each with its queries, and speaks of others like them.

    Args:
        first: Answers to each query, by its id.
        second: Under the other condition.
        confidence: Of the interval.
        seed: Of the draws of classes.

    Returns:
        None where no query is in both.

    >>> right, wrong = Query("a", 3, 3), Query("a", 1, 3)
    >>> found = paired({"q": right, "r": right, "s": wrong}, {"q": wrong, "r": right})
    >>> found.num_queries, found.first_only, found.second_only, found.p, round(found.difference, 3)
    (2, 1, 0, 1.0, 0.333)
    """
    shared = [query for query in first if query in second]
    if not shared:
        return None
    outcomes = [(_majority(first[query]), _majority(second[query])) for query in shared]
    first_only, second_only = outcomes.count((True, False)), outcomes.count((False, True))
    counts = _by_group([(first[query], second[query]) for query in shared])
    low, high = _interval(counts, confidence, seed)
    return Paired(
        num_queries=len(shared),
        first_only=first_only,
        second_only=second_only,
        num_tied=sum(None in outcome for outcome in outcomes),
        p=mcnemar(first_only, second_only),
        difference=float(_difference(counts.sum(0))),
        low=low,
        high=high,
    )


def _majority(query: Query) -> bool | None:
    twice = 2 * query.num_correct
    return None if twice == query.num_answers else twice > query.num_answers


def _by_group(pairs: list[tuple[Query, Query]]) -> Int[np.ndarray, "group 4"]:
    """Right and all answers of the first, then of the second, (group, 4)."""
    groups = list(dict.fromkeys(one.group for one, _ in pairs))
    counts = np.zeros((len(groups), 4), dtype=int)
    for one, other in pairs:
        counts[groups.index(one.group)] += [*one[1:], *other[1:]]
    return counts


def _difference(counts: Int[np.ndarray, "*draw 4"]) -> Any:
    return counts[..., 0] / counts[..., 1] - counts[..., 2] / counts[..., 3]


def _interval(counts: np.ndarray, confidence: float, seed: int) -> tuple[float, float]:
    if len(counts) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(len(counts), size=(NUM_RESAMPLES, len(counts)))
    low, high = np.quantile(_difference(counts[draws].sum(1)), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
