"""Exported answers as trials and answers, a condition each, and what of them does not count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.paired import Query
from qscore.interpretability.forced_choice.answers.scores import Answer
from qscore.interpretability.forced_choice.trials import CONDITIONS, DESCRIPTION, NEGATIVES, Trial

SIDES = ("left", "right")
FIRST_DESCRIBERS = ("human", "automatic")
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """What people were shown and asked: a column of table 1 or 2.

    Attributes:
        condition: "images" or "description".
        negatives: "random", "hard", or "" where that was not kept.
        described_by: Of descriptions, whose.
    """

    condition: str
    negatives: str
    described_by: str

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts columns as the paper does: images before words, random before hard, people's before automatic."""
        ranked = (*NEGATIVES, self.negatives), (*FIRST_DESCRIBERS, self.described_by)
        places = [known.index(name) for known, name in zip(ranked, (self.negatives, self.described_by), strict=True)]
        return CONDITIONS.index(self.condition), *places, self.negatives, self.described_by


@dataclass(frozen=True)
class Said:
    """The answers of one column.

    Attributes:
        trials: That have an answer; their group is a place in the list of groups.
        answers: To them.
        seconds: How long they took; of those that were timed.
    """

    trials: dict[str, Trial]
    answers: list[Answer]
    seconds: list[float]

    def by_query(self, groups: list[str]) -> dict[str, Query]:
        """Returns the right answers to each query; those without an id are not paired with anything."""
        found: dict[str, Query] = {}
        for answer in self.answers:
            trial = self.trials[answer.trial_id]
            group, correct, total = found.get(trial.query_id, Query(groups[trial.group], 0, 0))
            found[trial.query_id] = Query(group, correct + (answer.side == trial.positive_side), total + 1)
        found.pop("", None)
        return found


def counted(records: Iterable[Record]) -> list[Record]:
    """Returns the records that count: of no catch trial, and of no annotator that is left out.

    Raises:
        UserError: If there is none.
    """
    given = list(records)
    kept = [record for record in given if not record["is_catch"] and not record["excluded"]]
    if kept:
        return kept
    if any(not record["is_catch"] for record in given):
        raise UserError(
            "Expected answers that count, got only those of annotators whom the rule about catch trials leaves out "
            "(policies in study.json); ask others."
        )
    raise UserError("Expected answers, got none; ask people first (`serve`), or see what simulated ones give.")


def by_column(records: Iterable[Record], groups: list[str]) -> dict[Column, Said]:
    """Returns the forced choices among some records, a column each, in the paper's order.

    Args:
        records: As exported by a study; those that count.
        groups: Names of groups; a trial's group is the place of its name.
    """
    found: dict[Column, Said] = {}
    places = {group: place for place, group in enumerate(groups)}
    for record in records:
        if record["condition"] not in CONDITIONS:
            continue
        column = Column(record["condition"], record.get("negatives") or "", record.get("described_by") or "")
        said = found.setdefault(column, Said({}, [], []))
        said.trials.setdefault(record["trial"], _trial(record, column, places[record["group"]]))
        side = SIDES.index(record["choice"])
        said.answers.append(Answer(record["trial"], str(record["annotator"]), side))
        if record["response_ms"] is not None:
            said.seconds.append(record["response_ms"] / 1000)
    return dict(sorted(found.items(), key=lambda item: item[0].order))


def _trial(record: Record, column: Column, place: int) -> Trial:
    sides = [record[side] for side in SIDES]
    right = SIDES.index(record["correct"])
    return Trial(
        trial_id=record["trial"],
        query_id=record["query_id"] or "",
        group=place,
        condition=column.condition,
        negatives=column.negatives,
        references=tuple(record["references"]),
        description=record["text"] if column.condition == DESCRIPTION else "",
        described_by=column.described_by,
        positive=sides[right],
        negative=sides[1 - right],
        positive_side=right,
    )
