"""Exported answers with counts that a test knows."""

from collections.abc import Iterator
from typing import Any

Record = dict[str, Any]
SIDES = ("left", "right")


def recorded(
    group: str,
    correct: int,
    total: int,
    *,
    condition: str = "images",
    negatives: str = "random",
    described_by: str = "",
    per_trial: int = 3,
    first_query: int = 0,
    **changes: Any,
) -> list[Record]:
    """Answers about a group, the right ones first: `per_trial` annotators to each trial, sides in turn."""
    records = []
    for number in range(total):
        query, annotator = divmod(number, per_trial)
        query += first_query
        side = SIDES[query % 2]
        is_correct = number < correct
        records.append(
            {
                "annotator": annotator + 1,
                "assignment": f"a-{group}-{number}",
                "trial": f"{condition}-{negatives}-{described_by}-{group}-{query}",
                "query_id": f"{negatives}-{group}-{query}",
                "condition": condition,
                "group": group,
                "references": [f"{group}-{i}.png" for i in range(3)] if condition == "images" else [],
                "text": f"{described_by} words of {group}" if condition == "description" else "",
                "left": f"{group}-9.png" if side == "left" else "other.png",
                "right": f"{group}-9.png" if side == "right" else "other.png",
                "correct": side,
                "is_catch": False,
                "negatives": negatives,
                "described_by": described_by,
                "choice": side if is_correct else SIDES[1 - SIDES.index(side)],
                "is_correct": is_correct,
                "suits": None,
                "response_ms": 2000 + 1000 * annotator,
                "excluded": False,
                **changes,
            }
        )
    return records


def rated(group: str, values: str, *, described_by: str = "human") -> Iterator[Record]:
    """Ratings of the description of a group, one an annotator; from 3 on it suits an image."""
    for annotator, value in enumerate(values, 1):
        yield {
            **recorded(group, 1, 1, condition="likert", described_by=described_by)[0],
            "annotator": annotator,
            "trial": f"rating-{group}-{described_by}",
            "query_id": "",
            "text": f"{described_by} words of {group}",
            "left": "",
            "right": "",
            "correct": "",
            "choice": value,
            "is_correct": None,
            "suits": "yes" if int(value) >= 3 else "no",
        }


def spread(correct: int, num_groups: int, per_group: int, **options: Any) -> list[Record]:
    """A number of right answers over some groups, whose names are numbers from 0."""
    records = []
    for group in range(num_groups):
        own = correct // num_groups + (group < correct % num_groups)
        records += recorded(str(group), own, per_group, **options)
    return records
