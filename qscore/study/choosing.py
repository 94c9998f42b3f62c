"""The statement that chooses an annotator's next trial under all rules at once."""

from typing import Any

from qscore.study.rules import Limit, Policies

_PRIME = 2**31 - 1  # the order of an annotator is a multiplication modulo this prime: a permutation without a table

_CHOOSE = """
WITH own AS MATERIALIZED (
  SELECT t.id, t.condition, t.grp, t.query, t.is_catch, a.day
  FROM assignments a JOIN trials t ON t.id = a.trial WHERE a.annotator = :annotator
), held AS MATERIALIZED (
  SELECT trial, count(*) AS places FROM assignments WHERE answered IS NULL AND expires > :now GROUP BY trial
)
SELECT t.id FROM trials t LEFT JOIN held h ON h.trial = t.id
WHERE t.is_catch = :is_catch AND t.answered < t.wanted AND t.answered + coalesce(h.places, 0) < t.wanted
  AND t.id NOT IN (SELECT id FROM own)
  AND (t.query IS NULL OR NOT :once_per_query OR t.query NOT IN (SELECT query FROM own WHERE query IS NOT NULL))
  {limits}
ORDER BY t.block, (t.shuffle * :factor) % :prime LIMIT 1
"""

# What is shown and not yet answered counts for every day: it may be answered on any.
_WITHIN_GROUP = """AND NOT (t.is_catch = 0 AND t.condition = :condition{i} AND t.grp IN (
  SELECT grp FROM own
  WHERE is_catch = 0 AND condition = :condition{i} AND (:ever{i} OR day IS NULL OR day = :today)
  GROUP BY grp HAVING count(*) >= :max{i}))"""
_WITHIN_CONDITION = """AND NOT (t.is_catch = 0 AND t.condition = :condition{i} AND (
  SELECT count(*) FROM own
  WHERE is_catch = 0 AND condition = :condition{i} AND (:ever{i} OR day IS NULL OR day = :today)
  ) >= :max{i})"""


def choose_statement(policies: Policies) -> tuple[str, dict[str, Any]]:
    """Returns the statement, and those of its parameters that the rules give.

    The caller adds `annotator`, `now`, `today`, `is_catch`, and `factor` of `order_factor`.
    """
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
