"""Trials come back from their file as they were; other files are refused with the line."""

import json
from pathlib import Path
from typing import Any

import pytest

from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.forced_choice.questions.catching import with_catch_trials
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.questions.trial_files import load_trials, save_trials
from qscore.interpretability.forced_choice.trials import TrialDesign, Trials, with_descriptions
from tests.interpretability.forced_choice.planted import three_groups


@pytest.fixture
def trials() -> Trials:
    clusters, ids, features = three_groups()
    return make_trials(clusters, ids, features=features, design=TrialDesign(num_trials=2, negatives=("random", "hard")))


def test_trials_come_back_as_they_were(trials: Trials, tmp_path: Path) -> None:
    described = with_descriptions(trials, dict.fromkeys([0, 1, 2], 'ein "Vögel"\u2028 \n2'), "human")
    for written in (with_catch_trials(trials, 3), trials, described):
        save_trials(written, tmp_path / "trials.jsonl")
        assert load_trials(tmp_path / "trials.jsonl") == written
    first = (tmp_path / "trials.jsonl").read_bytes()
    save_trials(described, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == first


CHANGES: list[tuple[int, dict[str, Any], str]] = [
    (0, {"version": 2}, "format 'qscore trials' and version 1"),
    (0, {"design": {"num_trials": 2}}, "in the first line of trials.jsonl"),
    (0, {"nearest": [1]}, "in the first line of trials.jsonl"),
    (2, {"positive_side": 2}, "line 3 .* side 2, not .* side 0 or 1"),
    (2, {"positive_side": True}, "a whole number as positive_side in line 3"),
    (2, {"group": "0"}, "a whole number as group in line 3"),
    (2, {"references": "sample 1"}, "a list of texts as references in line 3"),
    (2, {"references": []}, "of images that shows none"),
    (2, {"condition": "description"}, "of description that shows none"),
    (2, {"condition": "sound"}, "condition sound"),
    (2, {"negative": "sample 1", "positive": "sample 1"}, "sample 1 on both sides"),
    (2, {"negative": "sample 1", "references": ["sample 1"]}, "a query among its references: sample 1"),
    (2, {"is_catch": True}, "whose positive is no reference"),
    (2, {"is_catch": 1}, "true or false as is_catch"),
    (2, {"path": "/x"}, "1 unknown: path"),
]


@pytest.mark.parametrize(("line", "change", "message"), CHANGES, ids=[message for *_, message in CHANGES])
def test_a_changed_file_is_refused(
    trials: Trials, tmp_path: Path, line: int, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "trials.jsonl"
    save_trials(trials, path)
    rows = [json.loads(row) for row in path.read_text().splitlines()]
    rows[line] |= change
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(UserError, match=message):
        load_trials(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "first line"),
        (b"[1]\n", "an object in line 1"),
        (b"{\n", "JSON in line 1"),
        (b"\xff\xfe", "readable file"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "trials.jsonl").write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_trials(tmp_path / "trials.jsonl")


def test_repeated_and_cut_lines_are_refused(trials: Trials, tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    save_trials(trials, path)
    text = path.read_text()
    path.write_text(text + text.splitlines()[-1] + "\n")
    with pytest.raises(UserError, match="every trial once"):
        load_trials(path)
    path.write_text(text[:-9])
    with pytest.raises(UserError, match="JSON in line 13"):
        load_trials(path)
    with pytest.raises(UserFileNotFoundError, match="make trials first"):
        load_trials(tmp_path / "nothing.jsonl")
