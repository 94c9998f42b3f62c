"""The rules of a study, fixed before any answer: how many answers, of whom, how often, and who will not count."""

from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any

from qscore.errors import UserError


@dataclass(frozen=True)
class Limit:
    """At most `max` answers of one annotator per "day" (UTC) or "study", within a "group" or in all of a "condition".

    Laina, Fong and Vedaldi (section 4.1): descriptions, one a worker, day and class.
    """

    condition: str
    max: int
    per: str = "day"
    scope: str = "group"

    def __post_init__(self) -> None:
        if self.max < 1 or self.per not in ("day", "study") or self.scope not in ("group", "condition"):
            raise UserError(f'expected a limit of max >= 1, per "day" or "study", scope "group" or "condition": {self}')


@dataclass(frozen=True)
class Policies:
    """The rules.

    Attributes:
        answers_per_trial: of different annotators; catch trials are for everyone.
        limits: see `Limit`.
        once_per_query: an annotator meets a pair of queries in one condition only: a second look is not a first.
        reservation_minutes: a shown trial is kept for its annotator this long; then its place is free again.
        link_days: a link works this long after it was made.
        catch_every: one catch trial for so many ordinary ones; 0: none.
        min_catch_answers, min_catch_accuracy: who answered so many catch trials, a smaller share rightly, is left out.
    """

    answers_per_trial: int = 3
    limits: tuple[Limit, ...] = ()
    once_per_query: bool = True
    reservation_minutes: float = 30
    link_days: float = 90
    catch_every: int = 15
    min_catch_answers: int = 3
    min_catch_accuracy: float = 0.75

    def __post_init__(self) -> None:
        if self.answers_per_trial < 1 or self.catch_every < 0:
            raise UserError("expected answers_per_trial >= 1 and catch_every >= 0")
        if self.reservation_minutes <= 0 or self.link_days <= 0:
            raise UserError("expected reservation_minutes and link_days over 0")

    @classmethod
    def read(cls, record: dict[str, Any]) -> "Policies":
        """Returns the rules of a `study.json`; what it leaves out has its default."""
        unknown = set(record) - {item.name for item in fields(cls)}
        if unknown:
            raise UserError(f"unknown policy {', '.join(sorted(unknown))}")
        limits = tuple(Limit(**limit) for limit in record.get("limits", ()))
        return cls(**{**record, "limits": limits})

    def excludes(self, num_catch: int, num_catch_correct: int) -> bool:
        """Whether an annotator's answers are left out, by catch trials alone.

        >>> Policies(min_catch_answers=3, min_catch_accuracy=0.75).excludes(4, 2)
        True
        >>> Policies(min_catch_answers=3, min_catch_accuracy=0.75).excludes(2, 0)
        False
        """
        return num_catch >= self.min_catch_answers and num_catch_correct < self.min_catch_accuracy * num_catch


def utc_day(seconds: float) -> str:
    """Returns the day in UTC.

    >>> utc_day(86_399.0), utc_day(86_400.0)
    ('1970-01-01', '1970-01-02')
    """
    return datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()
