"""The rules of a study, fixed before any answer: how many answers, of whom, how often, and who will not count."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeGuard

from qscore.errors import UserError, UserFileNotFoundError, unknown_name
from qscore.files import read_json
from qscore.interpretability.forced_choice.answers.careless import MIN_ACCURACY, MIN_ANSWERS, is_careless

CONDITIONS = ("images", "description", "likert")
_MOST = 1_000_000  # of anything that is counted
_LEAST = {"answers_per_trial": 1, "catch_every": 0, "min_catch_answers": 0}
_LONGEST = {"reservation_minutes": 60 * 24 * 365, "link_days": 365 * 100}


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
        _check_limit(vars(self))


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
        min_catch_answers, min_catch_accuracy: who answered so many catch trials, a smaller share rightly, is left out
            (`is_careless`).
    """

    answers_per_trial: int = 3
    limits: tuple[Limit, ...] = ()
    once_per_query: bool = True
    reservation_minutes: float = 30
    link_days: float = 90
    catch_every: int = 15
    min_catch_answers: int = MIN_ANSWERS
    min_catch_accuracy: float = MIN_ACCURACY

    def __post_init__(self) -> None:
        _check(vars(self))

    @classmethod
    def read(cls, record: object) -> "Policies":
        """Returns the rules of a `study.json`; what it leaves out has its default.

        Raises:
            UserError: it is no object, has a rule that nobody knows, or a value that makes no sense.
        """
        rules = _known(record, cls, "policy")
        _check(rules)
        limits = [_known(limit, Limit, "rule of a limit") for limit in rules.get("limits", ())]
        for limit in limits:
            _check_limit(limit)
        return cls(**{**rules, "limits": tuple(Limit(**limit) for limit in limits)})

    def excludes(self, num_catch: int, num_catch_correct: int) -> bool:
        """Whether an annotator's answers are left out, by catch trials alone."""
        return is_careless(
            num_catch, num_catch_correct, min_answers=self.min_catch_answers, min_accuracy=self.min_catch_accuracy
        )


def _known(record: object, kind: type, what: str) -> dict[str, Any]:
    """The fields of an object of JSON, all of which something has."""
    if not isinstance(record, dict):
        raise UserError(f"expected an object, {{...}}; it is {record!r}")
    names = {item.name for item in fields(kind)}
    if unknown := sorted(set(record) - names):
        raise unknown_name(what, unknown[0], names)
    return record


def _check(rules: Mapping[str, object]) -> None:
    """Looks at the rules that are there, before anything is made of them."""
    given = dict(vars(Policies)) | dict(rules)
    for name, least in _LEAST.items():
        _check_whole(name, given[name], least)
    for name, longest in _LONGEST.items():
        if not _is_number(value := given[name]) or not 0 < value <= longest:
            raise UserError(f"expected {name} over 0, up to {longest}; it is {value!r}")
    if not _is_number(share := given["min_catch_accuracy"]) or not 0 <= share <= 1:
        raise UserError(f"expected min_catch_accuracy from 0 to 1; it is {share!r}")
    if not isinstance(given["once_per_query"], bool):
        raise UserError(f"expected once_per_query as true or false; it is {given['once_per_query']!r}")
    if not isinstance(given["limits"], list | tuple):
        raise UserError(f"expected a list of limits; it is {given['limits']!r}")


def _check_limit(limit: Mapping[str, object]) -> None:
    condition, per, scope = limit.get("condition"), limit.get("per", "day"), limit.get("scope", "group")
    if condition not in CONDITIONS:
        raise unknown_name("condition of a limit", str(condition), CONDITIONS)
    _check_whole("max of a limit", limit.get("max"), 1)
    if per not in ("day", "study") or scope not in ("group", "condition"):
        raise UserError(f'expected a limit per "day" or "study", of scope "group" or "condition": {dict(limit)}')


def _check_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise UserError(f"expected a whole number from {least} to {_MOST} as {name}; it is {value!r}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_policies(file: Path | None, defaults: dict[str, Any], chosen: dict[str, Any]) -> Policies:
    """Returns the rules of a new study: defaults, one description an annotator, group and day among them, and changes.

    Args:
        file: changes, as under `policies` in `study.json`.
        defaults: of this study, before the file.
        chosen: further changes, which win; None leaves a rule as it is.

    Raises:
        UserError: the file is not like that, or a rule makes no sense.
    """
    rules = {"limits": [{"condition": "description", "max": 1}], **defaults}
    if file is not None and not file.is_file():
        raise UserFileNotFoundError(f"Expected a JSON file of policies; there is none at {file}.")
    try:
        rules |= {} if file is None else _known(read_json(file), Policies, "policy")
        return Policies.read(rules | {name: value for name, value in chosen.items() if value is not None})
    except (OSError, ValueError, TypeError) as error:
        where = "" if file is None else f" in {file}"
        raise UserError(f"Expected policies as in study.json{where}: {str(error).rstrip('.')}.") from error


def utc_day(seconds: float) -> str:
    """Returns the day in UTC.

    >>> utc_day(86_399.0), utc_day(86_400.0)
    ('1970-01-01', '1970-01-02')
    """
    return datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()
