"""The report says what was noticed in training."""

from pathlib import Path

import pytest

from qscore.report.__main__ import main
from qscore.report.collect import CONTROL, EvaluatedEncoder, collect
from qscore.report.watch import effect_notes, watch_notes
from tests.report.test_compare import write_run


def test_what_was_noticed_is_a_note_and_nothing_else_is() -> None:
    notice = {"kind": "collapse", "step": 8, "message": "Step 8: the encoder is collapsing."}
    runs = [
        EvaluatedEncoder(name, CONTROL, Path(name), {"seed": 0}, {}, [], facts=facts)
        for name, facts in (("a", {"noticed": [notice]}), ("b", {"noticed": []}), ("c", {"noticed": None}), ("d", {}))
    ]
    (note,) = watch_notes(runs)
    assert note == "a, seed 0: noticed in training: Step 8: the encoder is collapsing."


def test_a_run_with_the_weights_of_its_control_is_said_to_be_without_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, other in ((0, b"same"), (1, b"other")):
        for weight, content in ((0.0, b"same"), (10.0, other)):
            run = write_run(tmp_path, weight=weight, seed=seed, accuracy=0.9)
            (run / "encoder.safetensors").write_bytes(content)
    (tmp_path / "lambda10.0-seed0" / "q_score_weight.json").write_text(
        '{"num_steps": 4, "num_steps_without_term_gradient": 3}'
    )
    (note,) = effect_notes(collect([tmp_path]))
    assert note.startswith("Seed 0: Q-Score λ=10 and control ended with the same weights")
    assert "no gradient in 3 of 4 steps" in note
    assert main(["compare", str(tmp_path)]) == 0
    assert note in capsys.readouterr().out
