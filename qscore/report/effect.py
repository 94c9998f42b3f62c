"""Whether the Q-Score term changed anything at all."""

from typing import Any

from qscore.files import WEIGHTS, read_object, sha256
from qscore.report.collect import EvaluatedEncoder

WEIGHT_FILE = "q_score_weight.json"
SMOOTH = ("centered", "soft")  # whose Q an empty L ∩ D leaves defined, with a gradient


def without_effect(treated: EvaluatedEncoder, control: EvaluatedEncoder) -> str | None:
    """Returns a sentence where a run with the term ended with the very weights of its control; else None."""
    files = [encoder.path / WEIGHTS for encoder in (treated, control)]
    if not all(file.is_file() for file in files) or sha256(files[0]) != sha256(files[1]):
        return None
    return (
        f"Seed {treated.settings.get('seed')}: {treated.name} and {control.name} ended with the same weights, bit for "
        f"bit: the Q-Score term had no effect, and the two are one encoder. {_why(treated)}"
    )


def _why(treated: EvaluatedEncoder) -> str:
    held_still, num_steps = treated.facts.get("head_warmup_steps"), treated.facts.get("num_steps")
    if held_still and num_steps and held_still >= num_steps:
        return (
            f"In all of its {num_steps} steps the encoder was held still, while new heads learned: set epochs higher, "
            "or head_warmup_steps=0."
        )
    is_smooth = treated.facts.get("config", {}).get("formula") in SMOOTH
    empty = "" if is_smooth else "its L ∩ D is not empty (q_score/share_empty) and "
    return (
        f"{_gradients(treated)}A view gives a gradient only if {empty}its Q is below the threshold "
        "(q_score/share_below, in metrics.csv)."
    )


def _gradients(treated: EvaluatedEncoder) -> str:
    """How often the term had a gradient while its weight was set, where that was measured."""
    file = treated.path / WEIGHT_FILE
    facts: dict[str, Any] = read_object(file) if file.is_file() else {}
    num, without = facts.get("num_steps"), facts.get("num_steps_without_term_gradient")
    return f"The term had no gradient in {without} of {num} steps that were measured. " if num and without else ""
