"""What is known of the groups that a study asks about: its `groups.json`, of which anything may be missing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qscore.errors import UserError
from qscore.files import parse_json

GROUPS_FILE = "groups.json"


@dataclass(frozen=True)
class GroupFacts:
    """What is known of one group; None or "" where it is not.

    Attributes:
        kind: What made it, such as "k-means" or "dominant features".
        band: Of a feature: "discriminative" or "outside".
        purity_range: (low, high] that it was chosen from.
        purity: 1 - H / log K of its labels.
        size: Its samples.
        mean_q: Mean Q-Score of them.
        information: Mean of -ln p(group) + ln q(group | concepts), in nats: what concepts say of it.
        caption: Its automatic description.
        hard_negative: The nearest group.
        common_label: Its most frequent label.
        proxy: Binary accuracy of its caption without people.
    """

    kind: str = ""
    band: str = ""
    purity_range: tuple[float, float] | None = None
    purity: float | None = None
    size: int | None = None
    mean_q: float | None = None
    information: float | None = None
    caption: str = ""
    hard_negative: str = ""
    common_label: str = ""
    proxy: float | None = None


@dataclass(frozen=True)
class StudyGroups:
    """The groups of a study.

    Attributes:
        title: Of the study.
        source: Whose groups they are, such as the name of a run.
        groups: Name of each in the study to what is known of it.
    """

    title: str = ""
    source: str = ""
    groups: Mapping[str, GroupFacts] = field(default_factory=dict)

    def of(self, group: str) -> GroupFacts:
        """Returns what is known of a group, even if that is nothing."""
        return self.groups.get(group, GroupFacts())


def read_groups(path: Path) -> StudyGroups:
    """Returns the content of a `groups.json`; without the file nothing is known of any group.

    Raises:
        UserError: If there is a file, and it holds something else.
    """
    if not path.is_file():
        return StudyGroups()
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        found = {str(group): _facts(about) for group, about in content.get("groups", {}).items()}
    except (ValueError, AttributeError, TypeError, LookupError, OverflowError) as error:
        raise UserError(
            f'Expected {{"groups": {{"GROUP": {{...}}}}}} in {path}, got something else: {error}; make the study '
            "again with `new`, or take the file away: nothing is then known of the groups."
        ) from error
    return StudyGroups(_text(content, "title"), _text(content, "source"), found)


def _facts(about: Mapping[str, Any]) -> GroupFacts:
    ends, nearest, size = about.get("purity_range"), about.get("hard_negative"), _number(about, "size")
    return GroupFacts(
        kind=_text(about, "kind"),
        band=_text(about, "band"),
        purity_range=(float(ends[0]), float(ends[1])) if ends else None,
        purity=_number(about, "purity"),
        size=None if size is None else int(size),
        mean_q=_number(about, "mean_q"),
        information=_number(about, "information"),
        caption=_text(about, "caption"),
        hard_negative="" if nearest in (None, -1, "-1") else str(nearest),
        common_label=_text(about, "common_label"),
        proxy=_number(about, "proxy"),
    )


def _text(about: Mapping[str, Any], name: str) -> str:
    value = about.get(name)
    return "" if value is None else str(value)


def _number(about: Mapping[str, Any], name: str) -> float | None:
    value = about.get(name)
    return None if value is None or not math.isfinite(float(value)) else float(value)
