"""The rules of a naming study, fixed before the first action."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import read_json


@dataclass(frozen=True)
class NamingPolicies:
    """The rules of a naming study.

    Attributes:
        annotators_per_group: so many people name each group; 0: everyone names every group.
        reservation_minutes: an opened group without an action is kept for its annotator this long.
        confirmed_by: who says which names mean the same: "owner", or also the "annotators" whom the owner chooses, each
            after finishing all groups of theirs, which then stay as they are.
        link_days: a link works this long after it was made.
    """

    annotators_per_group: int = 0
    reservation_minutes: float = 60
    confirmed_by: str = "owner"
    link_days: float = 90

    def __post_init__(self) -> None:
        if self.annotators_per_group < 0 or self.confirmed_by not in ("owner", "annotators"):
            raise UserError('expected annotators_per_group >= 0 and confirmed_by "owner" or "annotators"')
        if self.reservation_minutes <= 0 or self.link_days <= 0:
            raise UserError("expected reservation_minutes and link_days over 0")

    @classmethod
    def read(cls, record: dict[str, Any]) -> "NamingPolicies":
        """Returns the rules of a `study.json`; what it leaves out has its default."""
        unknown = set(record) - {item.name for item in fields(cls)}
        if unknown:
            raise UserError(f"unknown policy {', '.join(sorted(unknown))}")
        return cls(**record)


def read_naming_policies(file: Path | None, chosen: dict[str, Any]) -> NamingPolicies:
    """Returns the rules of a new study: those of a file as under `policies` in `study.json`, and what is chosen.

    Raises:
        UserError: the file is not like that, or a rule makes no sense.
    """
    if file is not None and not file.is_file():
        raise UserFileNotFoundError(f"Expected a JSON file of policies; there is none at {file}.")
    try:
        rules = {} if file is None else read_json(file)
        return NamingPolicies.read(rules | {name: value for name, value in chosen.items() if value is not None})
    except (OSError, ValueError, TypeError) as error:
        where = "" if file is None else f" in {file}"
        raise UserError(f"Expected policies of a naming study{where}: {error}.") from error
