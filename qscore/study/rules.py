"""The rules of a study, fixed before any answer: how many answers, of whom, how often, and who will not count."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from qscore.errors import UserError, UserFileNotFoundError, unknown_name
from qscore.files import read_json
from qscore.interpretability.forced_choice.answers.careless import MIN_ACCURACY, MIN_ANSWERS, is_careless

CONDITIONS = ("images", "description", "likert")


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
        if self.condition not in CONDITIONS:
            raise unknown_name("condition of a limit", str(self.condition), CONDITIONS)
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
        if self.answers_per_trial < 1 or self.catch_every < 0:
            raise UserError("expected answers_per_trial >= 1 and catch_every >= 0")
        if self.reservation_minutes <= 0 or self.link_days <= 0:
            raise UserError("expected reservation_minutes and link_days over 0")
        if not 0 <= self.min_catch_accuracy <= 1:
            raise UserError(f"expected min_catch_accuracy from 0 to 1; it is {self.min_catch_accuracy}")

    @classmethod
    def read(cls, record: dict[str, Any]) -> "Policies":
        """Returns the rules of a `study.json`; what it leaves out has its default."""
        unknown = set(record) - {item.name for item in fields(cls)}
        if unknown:
            raise UserError(f"unknown policy {', '.join(sorted(unknown))}")
        limits = tuple(Limit(**limit) for limit in record.get("limits", ()))
        return cls(**{**record, "limits": limits})

    def excludes(self, num_catch: int, num_catch_correct: int) -> bool:
        """Whether an annotator's answers are left out, by catch trials alone."""
        return is_careless(
            num_catch, num_catch_correct, min_answers=self.min_catch_answers, min_accuracy=self.min_catch_accuracy
        )


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
        rules |= {} if file is None else read_json(file)
        return Policies.read(rules | {name: value for name, value in chosen.items() if value is not None})
    except (OSError, ValueError, TypeError) as error:
        where = "" if file is None else f" in {file}"
        raise UserError(f"Expected policies as in study.json{where}: {error}.") from error
