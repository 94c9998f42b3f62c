"""The report says what was noticed in training."""

from pathlib import Path

from qscore.report.collect import CONTROL, EvaluatedEncoder
from qscore.report.watch import watch_notes


def test_what_was_noticed_is_a_note_and_nothing_else_is() -> None:
    notice = {"kind": "collapse", "step": 8, "message": "Step 8: the encoder is collapsing."}
    runs = [
        EvaluatedEncoder(name, CONTROL, Path(name), {"seed": 0}, {}, [], facts=facts)
        for name, facts in (("a", {"noticed": [notice]}), ("b", {"noticed": []}), ("c", {"noticed": None}), ("d", {}))
    ]
    (note,) = watch_notes(runs)
    assert note == "a, seed 0: noticed in training: Step 8: the encoder is collapsing."
