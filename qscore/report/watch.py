"""What was noticed while a run was trained, as sentences."""

from qscore.report.panels import Encoders, label


def watch_notes(encoders: Encoders) -> list[str]:
    """Returns what the watch said of each run: collapse, dead features, empty sets, divergence."""
    return [f"{label(e)}: noticed in training: {notice['message']}" for e in encoders for notice in noticed(e.facts)]


def noticed(facts: dict[str, object]) -> list[dict[str, object]]:
    """Returns the notices in the content of a `run.json`; none where it was trained without a watch."""
    found = facts.get("noticed")
    return found if isinstance(found, list) else []
