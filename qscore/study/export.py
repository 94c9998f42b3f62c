"""The answers with everything that was shown, for their analysis: the one place where the right sides come out."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

from qscore.study.folder import Trial
from qscore.study.store import Store

_ANSWERS = """SELECT a.*, t.key FROM assignments a JOIN trials t ON t.id = a.trial
WHERE a.answered IS NOT NULL ORDER BY a.answered, a.number"""

_SHOWN = tuple(part.name for part in fields(Trial) if part.name != "id")


def answers(store: Store) -> list[dict[str, Any]]:
    """Returns one record an answer, in the order of their coming.

    `choice` is "left", "right" or, of a rating, "1" to "5"; `is_correct` is None for ratings; `excluded`: the rule
    about catch trials, which stands in `study.json`, leaves the annotator out. Times are UTC.
    """
    rows = store.database.rows(_ANSWERS)
    excluded = _excluded(store, rows)
    return [
        {
            "annotator": row["annotator"],
            "assignment": row["id"],
            **_trial_fields(store, row["key"]),
            "choice": row["choice"],
            "is_correct": _is_correct(store, row),
            "suits": row["suits"],
            "response_ms": row["response_ms"],
            "reserved": _utc(row["reserved"]),
            "shown": _utc(row["shown"]),
            "answered": _utc(row["answered"]),
            "day": row["day"],
            "excluded": row["annotator"] in excluded,
        }
        for row in rows
    ]


def as_jsonl(records: Iterable[dict[str, Any]]) -> str:
    """Returns one JSON object a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def as_csv(records: list[dict[str, Any]]) -> str:
    """Returns a table; several references stand in one cell, with blanks between."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(records[0]) if records else ["annotator"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**record, "references": " ".join(record["references"])} for record in records)
    return file.getvalue()


def _trial_fields(store: Store, key: str) -> dict[str, Any]:
    trial = store.study.trials[key]
    return {"trial": trial.id, **{name: getattr(trial, name) for name in _SHOWN}}


def _is_correct(store: Store, row: Any) -> bool | None:
    correct = store.study.trials[row["key"]].correct
    return row["choice"] == correct if correct else None


def _excluded(store: Store, rows: list[Any]) -> set[int]:
    catch: dict[int, list[bool]] = {}
    for row in rows:
        trial = store.study.trials[row["key"]]
        if trial.is_catch and trial.correct:
            catch.setdefault(row["annotator"], []).append(row["choice"] == trial.correct)
    return {who for who, right in catch.items() if store.study.policies.excludes(len(right), sum(right))}


def _utc(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
