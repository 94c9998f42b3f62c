"""The commands from a file of trials to a table of answers, as a user runs them."""

import csv
import json
import subprocess
import sys
import warnings
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qscore.errors import UserError
from qscore.interpretability.forced_choice.questions.trial_files import save_trials
from qscore.interpretability.forced_choice.trials import Trial, TrialDesign, Trials, with_descriptions
from qscore.study.__main__ import main
from qscore.study.agreement import agreement
from qscore.study.export import answers
from qscore.study.folder import load_study
from qscore.study.plain_images import write_plain_images
from qscore.study.rules import Policies
from qscore.study.store import Store
from qscore.study.tokens import Tokens


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    """30 trials with images, the same queries with words, and 4 catch trials."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(13):
        image, exif = Image.new("RGB", (300 if i else 40, 20 + i), (i, 9, 9)), Image.Exif()
        exif[0x010E] = "zebra"
        image.save(folder / f"zebra-{i}.jpg", exif=exif)
    references = tuple(f"zebra-{k}.jpg" for k in range(10))
    queries = ("zebra-10.jpg", "zebra-11.jpg")
    drawn = tuple(
        Trial(f"t{i}", f"q{i}", i % 6, "images", "random", references, "", "", *queries, i % 2) for i in range(30)
    )
    caught = tuple(
        replace(
            drawn[0], trial_id=f"c{i}", query_id=f"c{i}", positive=f"zebra-{i}.jpg", positive_side=i % 2, is_catch=True
        )
        for i in range(4)
    )
    shown = Trials((*drawn, *caught), TrialDesign(num_answers=3), 0, {0: 3})
    described = with_descriptions(shown, {group: f"stripes {group}" for group in range(6)}, "human")
    file = tmp_path / "trials.jsonl"
    save_trials(replace(shown, trials=(*shown.trials, *described.trials)), file)
    return file


def test_a_study_is_made_simulated_and_exported(
    trials: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, table = tmp_path / "study", tmp_path / "answers.csv"
    images = ["--images", str(tmp_path / "photos")]
    assert main(["new", str(trials), *images, "--out", str(study), "--ratings"]) == 0
    assert main(["simulate", str(study), "--accuracy", "1", "--annotators", "6"]) == 0
    assert main(["export", str(study), "--out", str(table)]) == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    ordinary = [row for row in rows if row["is_catch"] == "False"]
    by_images = [row for row in ordinary if row["condition"] == "images"]
    assert len(by_images) == 30 * 3
    assert {row["is_correct"] for row in by_images} == {"True"}
    assert len([row for row in ordinary if row["condition"] == "likert"]) == 6 * 3
    assert {row["excluded"] for row in rows} == {"False"}
    assert {row["negatives"] for row in by_images} == {"random"}
    assert {(row["condition"], row["described_by"]) for row in ordinary} == {
        ("images", ""),
        ("description", "human"),
        ("likert", "human"),
    }
    described = [(row["annotator"], row["group"], row["day"]) for row in ordinary if row["condition"] == "description"]
    assert len(described) == len(set(described))
    assert main(["export", str(study)]) == 0
    assert len([json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]) == len(rows)
    known = json.loads((study / "groups.json").read_text())["groups"]
    assert known["0"] == {"kind": "trials", "hard_negative": 3}


def test_the_right_side_shows_the_positive_and_images_are_plain(trials: Path, tmp_path: Path) -> None:
    main(["new", str(trials), "--images", str(tmp_path / "photos"), "--out", str(tmp_path / "study")])
    study = load_study(tmp_path / "study")
    for trial in study.trials.values():
        right = trial.left if trial.correct == "left" else trial.right
        with Image.open(study.image(right)) as image:
            assert trial.is_catch or image.size == (300, 30)
        assert trial.is_catch == (right in trial.references)
    for file in (study.folder / "images").iterdir():
        assert b"zebra" not in file.read_bytes() + file.name.encode()
        with Image.open(file) as image:
            assert not image.getexif()


def test_images_of_every_kind_look_as_they_should(tmp_path: Path) -> None:
    ramp = np.arange(16, dtype=np.uint16).reshape(4, 4) << 12
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    Image.fromarray(ramp.astype(np.int32)).save(tmp_path / "deeper.tif")
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 4, 2))
    clear.save(tmp_path / "clear.png")
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 255, 9, 9, 9])
    palette.paste(0, (0, 0, 4, 2))
    palette.save(tmp_path / "palette.png", transparency=b"\xff\x00")
    lying, exif = Image.new("RGB", (40, 20), "black"), Image.Exif()
    lying.paste((255, 255, 255), (0, 0, 20, 20))
    exif[0x0112] = 6  # upright after a quarter turn clockwise: what is left comes to the top
    lying.save(tmp_path / "lying.jpg", exif=exif)
    files = {file.stem: file for file in tmp_path.iterdir()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = write_plain_images(files, tmp_path / "plain")
    found = {stem: np.asarray(Image.open(tmp_path / "plain" / name)).astype(int) for stem, name in names.items()}
    for stem in ("deep", "deeper"):
        np.testing.assert_array_equal(found[stem], np.repeat((ramp >> 8)[..., None], 3, axis=2))
    for stem in ("clear", "palette"):
        assert found[stem][0, 0].tolist() == [0, 0, 255]
        assert found[stem][3, 0].tolist() == [255] * 3
    assert found["lying"].shape == (40, 20, 3)
    assert found["lying"][2, 10].min() > 200 > 50 > found["lying"][37, 10].max()


def test_who_misses_catch_trials_is_left_out(trials: Path, tmp_path: Path) -> None:
    main(["new", str(trials), "--images", str(tmp_path / "photos"), "--out", str(tmp_path / "study")])
    settings = tmp_path / "study" / "study.json"
    content = json.loads(settings.read_text())
    settings.write_text(json.dumps({**content, "policies": {"catch_every": 5}}))
    main(["simulate", str(tmp_path / "study"), "--accuracy", "0", "--annotators", "1"])
    main(["simulate", str(tmp_path / "study"), "--accuracy", "1", "--annotators", "1", "--again"])
    records = answers(Store(load_study(tmp_path / "study")))
    assert {(record["annotator"], record["excluded"]) for record in records} == {(1, True), (2, False)}


def test_a_study_that_was_served_is_not_simulated_unasked(
    trials: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study"
    main(["new", str(trials), "--images", str(tmp_path / "photos"), "--out", str(study)])
    Tokens(study).owner()
    assert main(["simulate", str(study), "--accuracy", "1", "--annotators", "1"]) == 2
    assert "was served already" in capsys.readouterr().err
    assert not answers(Store(load_study(study)))
    assert main(["simulate", str(study), "--accuracy", "1", "--annotators", "1", "--again"]) == 0


def test_simulated_annotators_are_as_right_as_they_are_told(trials: Path, tmp_path: Path) -> None:
    main(["new", str(trials), "--images", str(tmp_path / "photos"), "--out", str(tmp_path / "study")])
    main(["simulate", str(tmp_path / "study"), "--accuracy", "0.8", "--annotators", "12"])
    right = [record["is_correct"] for record in answers(Store(load_study(tmp_path / "study")))]
    margin = 4 * (0.8 * 0.2 / len(right)) ** 0.5
    assert abs(sum(right) / len(right) - 0.8) < margin


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "nowhere"], "there is no study.json"),
        (["export", "nowhere"], "there is no study.json"),
        (["new", "nowhere", "--images", ".", "--out", "study"], "there is nothing at nowhere"),
        (["simulate", "nowhere", "--accuracy", "80"], "from 0 to 1"),
    ],
)
def test_mistakes_are_one_message(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1"),
        ("[]", "line 1"),
        ('{"id": "a"}', "line 1"),
        ('{"id": "a", "query_id": "", "condition": "images", "group": "g", "left": "../../etc/x.png"}', "line 1"),
        (
            '{"id": "a", "query_id": "", "condition": "likert", "group": "", "text": "t", "references": ["../x.png"]}',
            "x.png",
        ),
        ("", "has no trial"),
        ("\udcff", "not a study"),
    ],
)
def test_a_broken_study_is_refused_with_the_line(trials: Path, tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "study.json").write_text('{"title": "t"}')
    trials.write_bytes(line.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=message):
        load_study(tmp_path)


@pytest.mark.parametrize("value", [None, 2.5, True, "no", [], {}, float("nan"), float("inf"), -1, 10**400])
@pytest.mark.parametrize("name", [rule.name for rule in fields(Policies)])
def test_a_rule_of_another_type_or_size_is_refused_by_its_name(name: str, value: object) -> None:
    fits = {"reservation_minutes": 2.5, "link_days": 2.5, "once_per_query": True, "limits": []}
    if repr(value) == repr(fits.get(name, ...)):
        assert Policies.read({name: value})
        return
    with pytest.raises(UserError, match=name):
        Policies.read({name: value})


def test_one_slip_in_the_fewest_catch_trials_that_count_is_forgiven() -> None:
    rules = Policies()
    assert not any(rules.excludes(num, num - 1) for num in range(1, 20))
    assert rules.excludes(4, 2)


@pytest.mark.parametrize(
    "limit", [{"max": True}, {"max": 1.5}, {"max": "1"}, {"max": 0}, {"per": None}, {"scope": []}, {"maxx": 1}]
)
def test_a_limit_that_makes_no_sense_is_refused(limit: dict[str, object]) -> None:
    with pytest.raises(UserError, match="limit"):
        Policies.read({"limits": [{"condition": "images", "max": 1, **limit}]})
    for record in (None, [], "limits", 1):
        with pytest.raises(UserError, match="expected an object"):
            Policies.read(record)
        with pytest.raises(UserError, match="expected an object"):
            Policies.read({"limits": [record]})


def test_answers_that_are_no_database_are_one_message(
    trials: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new", str(trials), "--images", str(tmp_path / "photos"), "--out", str(tmp_path / "study")])
    (tmp_path / "study" / "answers.sqlite").write_text("no database, but a text that is long enough to be read" * 99)
    assert main(["export", str(tmp_path / "study")]) == 2
    assert "answers.sqlite, which cannot be used" in capsys.readouterr().err


def test_the_commands_need_no_model() -> None:
    code = "import sys, qscore.study.__main__, qscore.study.app; print({'torch', 'numpy', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_owner_sees_alpha_of_the_sides_of_careful_annotators() -> None:
    pytest.importorskip("qscore.interpretability.forced_choice")
    # Krippendorff's example of two coders and ten units: alpha is 0.095.
    first, second = "0100000000", "1110010010"
    records = [
        {
            "annotator": annotator,
            "trial": str(trial),
            "condition": "images",
            "choice": ("left", "right")[int(side)],
            "is_catch": False,
            "excluded": annotator == 3,
        }
        for annotator, sides in enumerate((first, second, "1" * 10), 1)
        for trial, side in enumerate(sides)
    ]
    assert agreement(records) == {"Krippendorff's alpha, images": "0.095"}
