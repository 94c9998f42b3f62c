"""Which trial an annotator is asked next, under all rules at once."""

import json
import sqlite3
from typing import Any

from qscore.study.rules import Limit, Policies, utc_day

_PRIME = 2**31 - 1  # the order of an annotator is a multiplication modulo this prime: a permutation without a table

_SOME, _ALL = 48, -1
_ANOTHER_DAY = "9999-12-31"

_CANDIDATES = """
WITH own AS MATERIALIZED (
  SELECT t.id, t.query FROM assignments a JOIN trials t ON t.id = a.trial WHERE a.annotator = :annotator
)
SELECT t.id FROM trials t
WHERE t.is_catch = :is_catch AND t.answered < t.wanted AND t.id NOT IN (SELECT id FROM own)
  AND (NOT :once_per_query OR t.query IS NULL OR t.query NOT IN (SELECT query FROM own WHERE query IS NOT NULL))
ORDER BY t.block, (t.shuffle * :factor) % :prime LIMIT :num_candidates
"""

_CHOOSE = """
WITH own AS MATERIALIZED (
  SELECT t.id, t.condition, t.grp, t.query, t.is_catch, a.day
  FROM assignments a JOIN trials t ON t.id = a.trial WHERE a.annotator = :annotator
)
SELECT t.id FROM json_each(:candidates) c JOIN trials t ON t.id = c.value
WHERE t.answered + (SELECT count(*) FROM assignments o WHERE o.trial = t.id AND o.answered IS NULL AND o.expires > :now)
    < t.wanted
  AND t.id NOT IN (SELECT id FROM own)
  AND (t.query IS NULL OR NOT :once_per_query OR t.query NOT IN (SELECT query FROM own WHERE query IS NOT NULL))
  {limits}
ORDER BY c.key LIMIT 1
"""

# What is shown and not yet answered counts for every day: it may be answered on any. So does what was answered on a day
# that is still to come: the clock was set back.
_WITHIN_GROUP = """AND NOT (t.is_catch = 0 AND t.condition = :condition{i} AND t.grp IN (
  SELECT grp FROM own
  WHERE is_catch = 0 AND condition = :condition{i} AND (:ever{i} OR day IS NULL OR day >= :today)
  GROUP BY grp HAVING count(*) >= :max{i}))"""
_WITHIN_CONDITION = """AND NOT (t.is_catch = 0 AND t.condition = :condition{i} AND (
  SELECT count(*) FROM own
  WHERE is_catch = 0 AND condition = :condition{i} AND (:ever{i} OR day IS NULL OR day >= :today)
  ) >= :max{i})"""


class Choosing:
    """Chooses under all rules at once.

    What an annotator may still be asked only becomes fewer, but for places that they lost. So the first trials of their
    order are kept, and looked for again when none of these will do.
    """

    def __init__(self, policies: Policies, seed: int) -> None:
        self._seed = seed
        self._statement, self._parameters = _choose_statement(policies)
        self._candidates: dict[tuple[int, bool], str] = {}

    def first(self, db: sqlite3.Connection, annotator: int, now: float, *, is_catch: bool) -> int | None:
        """Returns the number of the trial that is next in the annotator's order."""
        situation = self._situation(annotator, is_catch) | {"now": now, "today": utc_day(now)}
        kept = self._candidates.get((annotator, is_catch))
        chosen = None if kept is None else self._chosen(db, situation, kept)
        for num in (_SOME, _ALL) if chosen is None else ():
            candidates = self._candidates[annotator, is_catch] = _candidates(db, situation, num)
            chosen = self._chosen(db, situation, candidates)
            if chosen is not None or candidates.count(",") + 1 < num:
                break
        return chosen

    def forget(self, annotator: int) -> None:
        """A trial may be asked again of the annotator."""
        for is_catch in (False, True):
            self._candidates.pop((annotator, is_catch), None)

    def any_later(self, db: sqlite3.Connection, annotator: int) -> bool:
        """Whether there would be a trial on another day, or if those who hold the last places leave them."""
        situation = self._situation(annotator, False) | {"now": float("inf"), "today": _ANOTHER_DAY}
        return self._chosen(db, situation, _candidates(db, situation, _ALL)) is not None

    def _situation(self, annotator: int, is_catch: bool) -> dict[str, Any]:
        factor = order_factor(self._seed, annotator)
        return {**self._parameters, "annotator": annotator, "factor": factor, "is_catch": is_catch}

    def _chosen(self, db: sqlite3.Connection, situation: dict[str, Any], candidates: str) -> int | None:
        row = db.execute(self._statement, situation | {"candidates": candidates}).fetchone()
        return None if row is None else int(row[0])


def _candidates(db: sqlite3.Connection, situation: dict[str, Any], num_candidates: int) -> str:
    rows = db.execute(_CANDIDATES, situation | {"num_candidates": num_candidates})
    return json.dumps([row[0] for row in rows])


def _choose_statement(policies: Policies) -> tuple[str, dict[str, Any]]:
    parameters: dict[str, Any] = {"once_per_query": policies.once_per_query, "prime": _PRIME}
    clauses = []
    for i, limit in enumerate(policies.limits):
        clauses.append(_clause(limit).format(i=i))
        parameters |= {f"condition{i}": limit.condition, f"max{i}": limit.max, f"ever{i}": limit.per == "study"}
    return _CHOOSE.format(limits="\n  ".join(clauses)), parameters


def _clause(limit: Limit) -> str:
    return _WITHIN_GROUP if limit.scope == "group" else _WITHIN_CONDITION


def order_factor(seed: int, annotator: int) -> int:
    """Returns the factor of an annotator's order: everyone meets the trials in another one.

    >>> shuffled = [11, 222, 3333]
    >>> sorted(shuffled, key=lambda value: value * order_factor(0, 1) % _PRIME)
    [11, 222, 3333]
    """
    return ((seed * 7919 + annotator) * 48271 * 69621 + 12345) % (_PRIME - 1) + 1


def is_catch_due(policies: Policies, annotator: int, num_ordinary: int, num_catch: int) -> bool:
    """Whether a catch trial is next: one in every `catch_every` ordinary ones, at another place for each annotator.

    >>> [is_catch_due(Policies(catch_every=3), 1, n, 0) for n in (0, 1, 2, 3)]
    [False, False, True, True]
    """
    if not policies.catch_every:
        return False
    phase = annotator * 48271 % policies.catch_every
    return num_catch < (num_ordinary + phase) // policies.catch_every
