"""From simulated answers to a page, as a user runs it: what went in comes out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from qscore.interpretability.forced_choice.questions.catching import with_catch_trials
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.questions.trial_files import save_trials
from qscore.interpretability.forced_choice.trials import TrialDesign
from qscore.results import load_result
from qscore.study.__main__ import main

NUM_GROUPS, NUM_TRIALS = 4, 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of four groups, each of its own shade, without answers; the careless are not caught."""
    folder = tmp_path_factory.mktemp("made")
    ids = [f"{i}.png" for i in range(64)]
    (folder / "photos").mkdir()
    for i, name in enumerate(ids):
        Image.new("RGB", (12, 8), (60 * (i % NUM_GROUPS),) * 3).save(folder / "photos" / name)
    design = TrialDesign(num_references=3, num_trials=NUM_TRIALS)
    trials = with_catch_trials(make_trials(np.arange(64) % NUM_GROUPS, ids, design=design), 5)
    save_trials(trials, folder / "trials.jsonl")
    arguments = [str(folder / "trials.jsonl"), "--images", str(folder / "photos"), "--out", str(folder / "study")]
    assert main(["new", *arguments]) == 0
    settings = folder / "study" / "study.json"
    content = json.loads(settings.read_text())
    settings.write_text(json.dumps(content | {"policies": content["policies"] | {"min_catch_accuracy": 0}}))
    (folder / "study" / "groups.json").unlink(missing_ok=True)
    return folder / "study"


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "study")
    return tmp_path / "study"


@pytest.mark.parametrize("accuracy", [0.5, 0.8, 1.0])
def test_annotators_of_known_accuracy_give_it_back(study: Path, accuracy: float) -> None:
    """Within the middle 99.9 % of what that many answers give; alpha of independent annotators is (2p - 1)^2."""
    assert main(["simulate", str(study), "--accuracy", str(accuracy), "--seed", "3"]) == 0
    assert main(["report", str(study)]) == 0
    result = load_result(study / "results" / "people.json")
    num_answers = 3 * NUM_GROUPS * NUM_TRIALS
    assert result.metrics["num_answers"] == num_answers
    share = result.metrics["images/random"]
    alpha = result.metrics["images/random_alpha"]
    assert share is not None
    assert alpha is not None
    assert binomtest(round(share * num_answers), num_answers, accuracy).pvalue > 1e-3
    assert alpha == pytest.approx((2 * accuracy - 1) ** 2, abs=4 / num_answers**0.5)
    assert any("12 annotators are simulated" in note for note in result.notes)
    assert "annotators are simulated" in (study / "report" / "index.html").read_text()


def test_cards_show_the_shade_of_their_group(study: Path) -> None:
    (study / "groups.json").write_text(json.dumps({"groups": {"2": {"purity": 0.5, "purity_range": [0.4, 0.5]}}}))
    main(["simulate", str(study), "--accuracy", "1"])
    main(["report", str(study)])
    arrays = load_result(study / "results" / "people.json").arrays
    shades = [set(np.unique(arrays["examples"][row, :5])) for row in range(NUM_GROUPS)]
    assert shades == [{0}, {60}, {120}, {180}]
    assert arrays["part"].tolist() == ["(0.4, 0.5]", "all"]


@pytest.mark.parametrize("answered", [False, True])
def test_a_study_without_answers_says_so(study: Path, answered: bool, capsys: pytest.CaptureFixture[str]) -> None:
    if answered:
        main(["export", str(study)])  # opens the answers, of which there are none
    assert main(["report", str(study)]) == 2
    assert "got none" in capsys.readouterr().err
    assert not (study / "results").exists()


@pytest.mark.parametrize("out", ["a file", "a file/page", "/proc/page"])
def test_a_page_that_cannot_be_written_is_refused_before_anything(
    study: Path, tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a file").write_text("")
    main(["simulate", str(study), "--accuracy", "1", "--annotators", "3"])
    assert main(["report", str(study), "--out", str(tmp_path / out)]) == 2
    assert "Expected a folder" in capsys.readouterr().err
    assert not (study / "results").exists()


def test_studies_of_one_name_are_told_apart_and_need_a_folder(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["simulate", str(study), "--accuracy", "0.9", "--annotators", "3"])
    other = tmp_path / "other" / "study"
    shutil.copytree(study, other)
    assert main(["report", str(study), str(other)]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["report", str(study), str(other), "--out", str(tmp_path / "both")]) == 0
    page = (tmp_path / "both" / "index.html").read_text()
    assert "other/study" in page
    assert f"{tmp_path.name}/study" in page
    third = tmp_path / "more" / "other" / "study"
    shutil.copytree(study, third)
    assert main(["report", str(third), str(other), "--out", str(tmp_path / "both")]) == 0
    names = {load_result(folder / "results" / "people.json").settings["study"] for folder in (third, other)}
    assert names == {"more/other/study", f"{tmp_path.name}/other/study"}
    assert main(["report", str(study), f"{other}/../../study", "--out", str(tmp_path / "both")]) == 2
    assert "Expected every study once" in capsys.readouterr().err


def test_one_damaged_image_does_not_stop_the_report(study: Path) -> None:
    main(["simulate", str(study), "--accuracy", "1"])
    damaged = sorted((study / "images").iterdir())[0]
    damaged.write_bytes(b"")
    assert main(["report", str(study)]) == 0
    assert f"white on cards: {damaged.name}" in (study / "report" / "index.html").read_text()
