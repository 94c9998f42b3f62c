"""Whose descriptions a study showed, and how people rated them."""

from collections.abc import Iterable

from qscore.interpretability.forced_choice.answers.ratings import Rating
from qscore.interpretability.forced_choice.answers.said import Column, Record
from qscore.interpretability.forced_choice.trials import DESCRIPTION

RATED = "likert"


def describers(records: Iterable[Record]) -> dict[tuple[str, str], list[str]]:
    """Returns whose each description of each group is: of several, where they wrote the same words.

    Where nobody is named it is "" for the first description of a group, and "description 2" for a second.
    """
    found: dict[tuple[str, str], list[str]] = {}
    texts: dict[str, list[str]] = {}
    for record in sorted((r for r in records if r["text"]), key=lambda r: not r.get("described_by")):
        group, text, who = record["group"], record["text"], record.get("described_by") or ""
        of_group = texts.setdefault(group, [])
        if text not in of_group:
            of_group.append(text)
        names = found.setdefault((group, text), [])
        if who and who not in names:
            names.append(who)
        elif not who and not names:
            names.append("" if len(of_group) == 1 else f"description {len(of_group)}")
    return found


def ratings(records: Iterable[Record], groups: list[str]) -> dict[str, list[Rating]]:
    """Returns the ratings among some records by whose description was rated, see `describers`."""
    given = list(records)
    whose = describers(given)
    found: dict[str, list[Rating]] = {}
    for record in (record for record in given if record["condition"] == RATED):
        place, value, suits = groups.index(record["group"]), int(record["choice"]), record["suits"] == "yes"
        own = record.get("described_by")
        for who in [own] if own else whose[record["group"], record["text"]]:
            found.setdefault(who, []).append(Rating(place, str(record["annotator"]), value, suits))
    return dict(sorted(found.items(), key=lambda item: Column(DESCRIPTION, "", item[0]).order))
