"""A study from everything that it can be made of: the right images on the right sides, or nothing at all."""

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qscore.interpretability.forced_choice.answers.rated import ratings
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.questions.trial_files import save_trials
from qscore.interpretability.forced_choice.trials import TrialDesign, with_descriptions
from qscore.study.__main__ import main
from qscore.study.export import answers
from qscore.study.folder import Study, Trial, load_study
from qscore.study.simulate import simulate
from qscore.study.store import Store

SIZES = {0: 12, 1: 12, 2: 12, 7: 4}  # 7 is too small to be asked about
SAMPLES = {f"{'ab'[i % 2]}/{group}-{i}": (group, i) for group, size in SIZES.items() for i in range(size)}
LABELS = {0: ("horse", "horse"), 1: ("cat", "dog"), 2: ("okapi", "okapi"), 7: ("cat", "dog")}
PLACES = {0: 0.0, 1: 10.0, 2: 11.0, 7: 30.0}  # of features: 1 and 2 are nearest to each other, 1 is to 0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images whose pixels tell group and number, and files about them."""
    monkeypatch.chdir(tmp_path)
    for sample, (group, i) in SAMPLES.items():
        file = tmp_path / "images" / f"{sample}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 6), (group, i, 99)).save(file)
    table("groups", ("id", "cluster"), {sample: group for sample, (group, _) in SAMPLES.items()})
    table("labels", ("id", "label"), {sample: LABELS[group][i % 2] for sample, (group, i) in SAMPLES.items()})
    said = {sample: f"a {LABELS[group][0]}" if i else "an animal" for sample, (group, i) in SAMPLES.items()}
    table("captions", ("id", "caption"), said)
    table("words", ("group", "description"), {group: f"people say {group}" for group in SIZES})
    features = np.array([[PLACES[group]] for group, _ in SAMPLES.values()])
    np.savez("features.npz", ids=np.array(list(SAMPLES)), features=features)
    return tmp_path


def table(name: str, columns: tuple[str, str], rows: dict[str, object] | dict[int, object]) -> None:
    with Path(f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows.items()])


def new(*arguments: str) -> int:
    return main(["new", *arguments, "--out", "study"])


def shown(study: Study, key: str) -> tuple[int, int]:
    """Group and number of an image, by its pixels."""
    with Image.open(study.image(key)) as image:
        red, green, _ = image.getpixel((0, 0))  # type: ignore[misc]
        return int(red), int(green)


def sides(trial: Trial) -> tuple[str, str]:
    return (trial.left, trial.right) if trial.correct == "left" else (trial.right, trial.left)


def test_groups_in_a_table_are_asked_about_with_everything_that_is_known(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--labels", "labels.csv", "--features", "features.npz", "--captions", "captions.csv"]
    numbers = ["--descriptions", "words.csv", "--trials", "4", "--answers", "2", "--catch", "3", "--ratings"]
    assert new("groups.csv", "--images", "images", *files, *numbers) == 0
    study = load_study(here / "study")
    asked = [trial for trial in study.trials.values() if trial.condition != "likert"]
    for trial in asked:
        right, wrong = (shown(study, key)[0] for key in sides(trial))
        assert (str(right), right == wrong) == (trial.group, False)
        assert {shown(study, key)[0] for key in trial.references} <= {right}
        if trial.negatives == "hard":
            assert wrong == {0: 1, 1: 2, 2: 1}[right]
    kinds = Counter((trial.group, trial.condition, trial.negatives, trial.described_by) for trial in asked)
    caught = Counter(trial.group for trial in asked if trial.is_catch)
    assert sum(caught.values()) == 3
    whole = {(condition, negatives, who) for _, condition, negatives, who in kinds}
    words = {("description", "random", "automatic"), ("description", "random", "human")}
    assert whole == words | {("images", "random", ""), ("images", "hard", "")}
    assert {count for (_, condition, _, _), count in kinds.items() if condition == "description"} == {4}
    groups = json.loads((here / "study" / "groups.json").read_text())["groups"]
    # Of four labels: one alone is pure, two in equal shares are half pure.
    ranges = {group: (facts["purity"], facts["purity_range"]) for group, facts in groups.items()}
    assert ranges == {"0": (1.0, [0.9, 1.0]), "1": (0.5, [0.4, 0.5]), "2": (1.0, [0.9, 1.0])}
    assert [groups[group]["caption"] for group in "012"] == ["a horse", "a cat", "a okapi"]
    assert [groups[group]["hard_negative"] for group in "012"] == ["1", "2", "1"]
    assert study.policies.answers_per_trial == 2
    assert "3 that catch" in capsys.readouterr().out
    images = sum(trial.condition == "images" and not trial.is_catch for trial in asked)
    assert simulate(Store(study), accuracy=1, num_annotators=4) >= 2 * images


def test_without_labels_all_groups_that_are_large_enough_are_asked_about(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new("groups.csv", "--images", "images", "--trials", "2", "--catch-every", "0") == 0
    study = load_study(here / "study")
    assert {trial.group for trial in study.trials.values()} == {"0", "1", "2"}
    assert not [trial for trial in study.trials.values() if trial.is_catch]
    assert "group 7 (4 samples, 11 needed)" in capsys.readouterr().out


def test_rules_are_chosen_by_a_file_and_by_options(here: Path) -> None:
    limit = {"condition": "images", "max": 5, "per": "study", "scope": "group"}
    Path("rules.json").write_text(json.dumps({"answers_per_trial": 7, "limits": [limit], "link_days": 3}))
    assert new("groups.csv", "--images", "images", "--policies", "rules.json", "--catch-every", "4") == 0
    rules = json.loads((here / "study" / "study.json").read_text())["policies"]
    assert (rules["answers_per_trial"], rules["limits"], rules["link_days"], rules["catch_every"]) == (7, [limit], 3, 4)


def made_by_an_evaluation(run: Path, name: str = "questions-1f") -> Path:
    """A run with questions, as the evaluation forced_choice leaves them; no file is named like its sample."""
    folder = run / "representations" / name
    (folder / "images").mkdir(parents=True)
    names = {sample: f"{place:04d}.png" for place, sample in enumerate(SAMPLES)}
    for sample, (group, i) in SAMPLES.items():
        Image.new("RGB", (6, 6), (group, i, 99)).save(folder / "images" / names[sample])
    clusters = np.array([group for group, _ in SAMPLES.values()])
    design = TrialDesign(num_trials=3, num_answers=5)
    save_trials(make_trials(clusters, list(SAMPLES), design=design), folder / "trials.jsonl")
    (folder / "images.json").write_text(json.dumps(names))
    groups = {"0": {"kind": "k-means", "mean_q": 0.5}}
    (folder / "groups.json").write_text(json.dumps({"title": "", "source": run.name, "groups": groups}))
    (run / "results").mkdir(exist_ok=True)
    (run / "results" / "forced_choice.json").write_text(json.dumps({"settings": {"questions": name}}))
    return folder


def test_a_run_its_result_and_its_questions_make_the_same_study(here: Path) -> None:
    run = here / "run"
    folder = made_by_an_evaluation(run)
    made = []
    for what in (run, run / "results" / "forced_choice.json", folder):
        out = here / f"study of {what.name}"
        assert main(["new", str(what), "--out", str(out)]) == 0
        study = load_study(out)
        assert study.policies.answers_per_trial == 5
        known = json.loads((out / "groups.json").read_text())
        assert (known["source"], known["groups"]["0"]["mean_q"]) == ("run", 0.5)
        trials = study.trials.values()
        made.append([(trial.id, trial.group, *(shown(study, key) for key in sides(trial))) for trial in trials])
    assert made[0] == made[1] == made[2]
    assert all(group == str(right[0]) != str(wrong[0]) for _, group, right, wrong in made[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("groups.csv", "Expected --images DIR"),
        ("groups.csv --images nowhere", "there is none at nowhere"),
        ("groups.csv --images images/a", "ids; 40 have none: a/0-0, b/0-1"),
        ("more.csv --images images", "ids; 1 have none: a/ghost"),
        ("broken.csv --images images", "1 of 40 cannot be read: images/broken.png (the first: no image of a known"),
        ("tiny.csv --images images", "got none: class 7: 4 samples, 11 needed"),
        ("groups.csv --images images --references 12", "class 0: 12 samples, 13 needed"),
        ("groups.csv --images images --labels few.csv", "label of every sample in a group, got none of 39 out of 40"),
        ("groups.csv --images images --labels one.csv", "at least 2 classes"),
        ("groups.csv --images images --captions labels.csv", "no caption among: id, label"),
        ("groups.csv --images images --features labels.csv", "Expected an .npz file of plain arrays"),
        ("groups.csv --images images --descriptions odd.csv", "got some of 99"),
        ("groups.csv --images images --per-range 3", "needs --labels"),
        ("groups.csv --images images --catch 999", "0 to 60 trials"),
        ("groups.csv --images images --trials 0", "at least 1 in --trials, got 0"),
        ("groups.csv --images images --answers 0", "at least 1 in --answers, got 0"),
        ("groups.csv --images images --seed -1", "at least 0 in --seed, got -1"),
        ("groups.csv --images images --references -2", "at least 1 in --references, got -2"),
        ("groups.csv --images images --labels labels.csv --per-range 0", "at least 1 in --per-range, got 0"),
        ("groups.csv --images images --catch -1", "at least 0 in --catch, got -1"),
        ("groups.csv --images images --catch-every -1", "at least 0 in --catch-every, got -1"),
        ("twice.csv --images images", "a/0-0 and a/0-0.png are both images/a/0-0.png"),
        ("groups.csv --images images --policies pairs.json", "expected an object, {...}; it is [["),
        ("groups.csv --images images --policies limits.json", "Unknown condition of a limit 'words'"),
        ("groups.csv --images images --policies labels.csv", "Expected policies as in study.json in labels.csv"),
        ("labels.csv --images images", "Expected the columns id, cluster"),
        ("images", "images is another folder"),
        ("bare", "Make them: python evaluate.py run=bare evaluation=forced_choice"),
        ("cleared", "evaluation.forced_choice.questions=true"),
        ("quiet", "was made without questions"),
        ("run --images images", "Leave it out"),
        ("run --captions captions.csv", "--captions is for questions that are made of groups"),
        ("incomplete", "have none, such as"),
        ("limits.json", "Expected a result of the evaluation forced_choice"),
        ("features.txt", "is another file"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing(
    here: Path, arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mistaken_files(here)
    before = sorted(here.rglob("*"))
    assert new(*arguments.split()) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("python -m qscore.study new: ") == 1
    assert sorted(here.rglob("*")) == before


def mistaken_files(here: Path) -> None:
    clusters = {sample: group for sample, (group, _) in SAMPLES.items()}
    table("more", ("id", "cluster"), clusters | {"a/ghost": 0})
    Path("images/broken.png").write_text("no image")
    table("broken", ("id", "cluster"), clusters | {"broken": 0})
    table("twice", ("id", "cluster"), {"a/0-0": 0, "a/0-0.png": 0})
    Path("pairs.json").write_text('[["catch_every", 3]]')
    table("tiny", ("id", "cluster"), {sample: group for sample, group in clusters.items() if group == 7})
    table("few", ("id", "label"), {"a/0-0": "horse"})
    table("one", ("id", "label"), dict.fromkeys(SAMPLES, "horse"))
    table("odd", ("group", "description"), {99: "nobody"})
    Path("limits.json").write_text(json.dumps({"limits": [{"condition": "words", "max": 1}]}))
    Path("features.txt").write_text("")
    Path("bare").mkdir()
    Path("bare/run.json").write_text("{}")
    made_by_an_evaluation(here / "run")
    for file in (made_by_an_evaluation(here / "incomplete") / "images").iterdir():
        file.unlink()
    for file in (made_by_an_evaluation(here / "cleared")).glob("*.json*"):
        file.unlink()
    made_by_an_evaluation(here / "quiet", "")


@pytest.mark.parametrize("out", [".", "groups.csv", "groups.csv/study", "/proc/study"])
def test_where_nothing_can_be_written_no_image_is_looked_for(
    here: Path, out: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "empty").mkdir()
    if out == ".":
        monkeypatch.chdir(here / "empty")
    assert main(["new", "../groups.csv" if out == "." else "groups.csv", "--images", "nowhere", "--out", out]) == 2
    assert "Expected a" in (said := capsys.readouterr().err)
    assert "nowhere" not in said


def test_of_several_results_the_one_with_questions_is_taken(here: Path) -> None:
    made_by_an_evaluation(here / "run")
    (here / "run" / "results" / "another").mkdir()
    (here / "run" / "results" / "another" / "forced_choice.json").write_text('{"settings": {"questions": ""}}')
    assert new("run") == 0


def test_words_that_two_describers_share_are_rated_once_and_for_both(here: Path) -> None:
    table("words", ("group", "description"), {0: "a horse", 1: "pets", 2: "an okapi"})
    words = ["--captions", "captions.csv", "--descriptions", "words.csv"]
    assert new("groups.csv", "--images", "images", *words, "--trials", "2", "--ratings") == 0
    study = load_study(here / "study")
    rated = {(trial.text, trial.described_by) for trial in study.trials.values() if trial.condition == "likert"}
    others = {("a cat", "automatic"), ("pets", "human"), ("a okapi", "automatic"), ("an okapi", "human")}
    assert rated == {("a horse", ""), *others}
    simulate(Store(study), accuracy=1, num_annotators=12)
    counts = {who: len(given) for who, given in ratings(answers(Store(study)), ["0", "1", "2"]).items()}
    assert counts == {"automatic": 9, "human": 9}  # three groups, three answers each


def test_words_are_asked_only_of_described_groups(here: Path) -> None:
    table("some", ("group", "description"), {"00": "horses", 1: "", 7: "too few"})
    assert new("groups.csv", "--images", "images", "--descriptions", "some.csv") == 0
    trials = load_study(here / "study").trials.values()
    assert {(trial.group, trial.text) for trial in trials if trial.condition == "description"} == {("0", "horses")}
    assert {trial.group for trial in trials} == {"0", "1", "2"}


def test_two_descriptions_of_a_group_by_one_describer_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clusters = np.array([group for group, _ in SAMPLES.values()])
    drawn = make_trials(clusters, [f"{sample}.png" for sample in SAMPLES], design=TrialDesign(num_trials=2))
    said = [with_descriptions(drawn, dict.fromkeys((0, 1, 2), text), "human").trials for text in ("one", "two")]
    again = [replace(trial, trial_id=f"again {trial.trial_id}") for trial in said[1]]
    save_trials(replace(drawn, trials=(*said[0], *again)), here / "trials.jsonl")
    assert new("trials.jsonl", "--images", "images") == 2
    assert "one description of group 0 by human, got 'one' and 'two'" in capsys.readouterr().err
    assert not (here / "study").exists()


def test_a_folder_in_use_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "study").mkdir()
    assert new("groups.csv", "--images", "images") == 0  # an empty one may be there
    before = (here / "study" / "study.json").read_text()
    assert new("groups.csv", "--images", "images") == 2
    assert "which holds one. Choose another folder" in capsys.readouterr().err
    assert (here / "study" / "study.json").read_text() == before
    assert main(["new", "groups.csv", "--images", "images", "--out", "images"]) == 2
    assert main(["new", "study", "--out", "other"]) == 2
    assert "is a study already" in capsys.readouterr().err
