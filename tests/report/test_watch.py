"""The report says what was noticed in training."""

from pathlib import Path

import pytest

from qscore.files import read_json, write_json
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
    assert "L ∩ D is not empty" in note
    assert main(["compare", str(tmp_path)]) == 0
    assert note in capsys.readouterr().out


def test_an_encoder_that_was_held_still_to_the_end_is_said_to_be_the_cause(tmp_path: Path) -> None:
    for weight in (0.0, 10.0):
        run = write_run(tmp_path, weight=weight, seed=0, accuracy=0.9, num_steps=5)
        (run / "encoder.safetensors").write_bytes(b"same")
        facts = read_json(run / "run.json")
        write_json(run / "run.json", {**facts, "head_warmup_steps": 5})
    (note,) = effect_notes(collect([tmp_path]))
    assert "In all of its 5 steps the encoder was held still" in note
    assert "L ∩ D" not in note


def test_only_the_ratio_has_no_gradient_where_the_set_is_empty(tmp_path: Path) -> None:
    for weight in (0.0, 10.0):
        run = write_run(tmp_path, weight=weight, seed=0, accuracy=0.9, config={"formula": "soft"})
        (run / "encoder.safetensors").write_bytes(b"same")
    (note,) = effect_notes(collect([tmp_path]))
    assert "L ∩ D" not in note
    assert "q_score/share_below" in note
