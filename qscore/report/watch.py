"""What was noticed while a run was trained, as sentences."""

from qscore.report.pairing import comparisons
from qscore.report.panels import Encoders, label


def watch_notes(encoders: Encoders) -> list[str]:
    """Returns what the watch said of each run: collapse, dead features, empty sets, divergence."""
    return [f"{label(e)}: noticed in training: {notice['message']}" for e in encoders for notice in noticed(e.facts)]


def effect_notes(encoders: Encoders) -> list[str]:
    """Returns which runs ended with the very weights of their control: the term had no effect."""
    trained = [encoder for encoder in encoders if "config" in encoder.facts]
    return [text for found in comparisons(trained) for text in found.without_effect]


def noticed(facts: dict[str, object]) -> list[dict[str, object]]:
    """Returns the notices in the content of a `run.json`; none where it was trained without a watch."""
    found = facts.get("noticed")
    return found if isinstance(found, list) else []
