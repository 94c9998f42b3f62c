"""The evaluation as a whole, on groups of which it is known what can be said about them."""

import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.interpretability.forced_choice.automatic.feature_bridge import FeatureGroups
from qscore.interpretability.forced_choice.evaluation import forced_choice
from qscore.interpretability.forced_choice.questions import files
from qscore.interpretability.forced_choice.questions import folder as questions_folder
from qscore.interpretability.forced_choice.questions.asking import about_features
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.questions.trial_files import load_trials
from qscore.interpretability.forced_choice.trials import DESCRIPTION, HARD, IMAGES, RANDOM, TrialDesign
from qscore.interpretability.forced_choice.words.described import describe
from qscore.interpretability.reverse_probing.concepts import side_by_side
from qscore.interpretability.reverse_probing.experts.captions import concepts_of_captions
from qscore.interpretability.reverse_probing.measures import entropy
from qscore.interpretability.reverse_probing.probe import reverse_probe
from qscore.interpretability.reverse_probing.sources import labels_as_concepts
from qscore.records import Representations
from qscore.results import Result, load_result
from qscore.score import cached_representations, q_score

SHAPES, COLOURS = ("circle", "square", "star"), ("red", "blue")
QUICK = {"num_trials": 4, "num_catch": 3}


def blobs(num: int, seed: int, first_id: int = 0) -> tuple[Representations, list[str]]:
    """Six blobs, one for each shape and colour; the labels are the shapes, the captions say both or nothing."""
    generator = np.random.default_rng(seed)
    shape, colour = generator.integers(3, size=num), generator.integers(2, size=num)
    h = np.abs(generator.normal(size=(num, 8)))
    h[np.arange(num), shape] += 30
    h[np.arange(num), 3 + colour] += 30
    captions = [f"a {COLOURS[c]} {SHAPES[s]}" for s, c in zip(shape, colour, strict=True)]
    captions = ["an object" if generator.random() < 0.3 else caption for caption in captions]
    ids = tuple(str(first_id + i) for i in range(num))
    return Representations(torch.from_numpy(h).float(), torch.from_numpy(shape), ids, SHAPES, f"blobs{seed}"), captions


@pytest.fixture
def inputs() -> EvaluationInputs:
    return EvaluationInputs(blobs(600, 0)[0], blobs(300, 1, 600)[0], epsilon=1.0, lower=0.0, upper=0.9)


@pytest.fixture
def said(tmp_path: Path) -> str:
    rows = enumerate([*blobs(600, 0)[1], *blobs(300, 1)[1]])
    return written(tmp_path / "said.csv", ["id", "caption"], [[str(i), text] for i, text in rows])


def written(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return str(path)


def of_blobs(inputs: EvaluationInputs, said: str, **options: object) -> Result:
    chosen = {"captions": said, "num_clusters": 6, "sentence_encoder": "tfidf", **QUICK, **options}
    return forced_choice(inputs, **chosen)


def test_six_blobs_get_the_captions_that_tell_them_apart(inputs: EvaluationInputs, said: str, tmp_path: Path) -> None:
    result = of_blobs(inputs, said)
    metrics, arrays = result.metrics, result.arrays
    assert metrics["num_groups"] == 6
    assert (metrics["purity"], metrics["num_captions"]) == (1, 6)
    assert metrics["ami"] == pytest.approx(2 * np.log(3) / (np.log(3) + np.log(6)), abs=0.02)
    assert (metrics["captions/top1"], metrics["captions/binary"], metrics["captions/recall1"]) == (1, 1, 1)
    for caption, label in zip(arrays["caption"], arrays["common_label"], strict=True):
        assert caption in {f"a {colour} {label}" for colour in COLOURS}
    assert metrics["random_image/top1"] is metrics["descriptions/recall1"] is None  # no images, and nobody wrote
    assert (arrays["binary"] == 1).all()
    assert set(arrays["chosen_low"]) == {0.9}
    assert arrays["chosen"].all()
    assert metrics["chance/top1"] == metrics["chance/recall1"] == pytest.approx(1 / 6)
    q = q_score(inputs.train.h, inputs.discriminative, inputs.epsilon).numpy()
    of_group = [q[arrays["clusters"] == group].mean() for group in arrays["group"]]
    assert arrays["mean_q"].tolist() == pytest.approx(of_group, rel=1e-5)
    assert sorted(arrays["size"]) == sorted(np.unique(of_six(inputs), return_counts=True)[1])
    assert arrays["frequent_counts"].tolist() == [1] * 6 + [0] * 4
    assert result.settings["questions"] == ""
    path = result.save(tmp_path)
    assert load_result(path).metrics == metrics
    again = of_blobs(inputs, said)
    for name, array in arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)


def of_six(inputs: EvaluationInputs) -> np.ndarray:
    h = inputs.train.h
    return (2 * h[:, :3].argmax(1) + h[:, 3:5].argmax(1)).numpy()


def test_the_information_of_groups_sums_to_that_of_reverse_probing(inputs: EvaluationInputs) -> None:
    result = of_blobs(inputs, "labels")
    groups = of_six(inputs)
    probe = reverse_probe(labels_as_concepts(inputs.train), groups)
    assert probe.information_nats == pytest.approx(np.log(3), abs=0.05)
    # Groups are numbered otherwise here, and so split otherwise: all six tell their label, and nothing of the colour.
    assert np.average(result.arrays["information"], weights=result.arrays["size"]) == pytest.approx(np.log(3), abs=0.05)
    assert entropy(groups) == pytest.approx(np.log(6), abs=0.02)
    own, said = result.arrays["clusters"].astype(np.int64), describe("labels", inputs).train
    words = concepts_of_captions(dict(zip(inputs.train.ids, said, strict=True)))
    same = reverse_probe(side_by_side([labels_as_concepts(inputs.train), words]), own)
    counts = np.bincount(own[same.split.test])
    assert np.average(result.arrays["information"], weights=counts) == pytest.approx(same.information_nats, rel=1e-6)
    of_labels = of_blobs(inputs, "labels", grouping="labels")
    assert np.isnan(of_labels.arrays["information"]).all()
    assert any("but those that made the groups" in note for note in of_labels.notes)
    assert np.isnan(of_blobs(inputs, "labels", information=False).arrays["information"]).all()


@pytest.mark.parametrize("grouping", ["labels", "dominant_features"])
def test_groups_of_other_makers_are_described(grouping: str, inputs: EvaluationInputs, said: str) -> None:
    result = of_blobs(inputs, said, grouping=grouping)
    assert result.metrics["captions/binary"] is not None
    assert result.metrics["captions/binary"] > 0.8
    if grouping == "labels":
        assert result.metrics["ari"] == 1
        assert result.metrics["captions/top1"] == 1
        assert [caption.split()[-1] for caption in result.arrays["caption"]] == list(SHAPES)


def test_people_describe_some_groups(inputs: EvaluationInputs, said: str, tmp_path: Path) -> None:
    first = of_blobs(inputs, said)
    truth = [
        [str(group), str(text)] for group, text in zip(first.arrays["group"], first.arrays["caption"], strict=True)
    ]
    some = of_blobs(inputs, said, descriptions=written(tmp_path / "some.csv", ["group", "description"], truth[:2]))
    assert some.metrics["descriptions/recall1"] == 1
    assert some.metrics["descriptions/top1"] is None
    assert some.arrays["description"].tolist() == [truth[0][1], truth[1][1], "", "", "", ""]
    wrong = [[group, truth[place - 1][1]] for place, (group, _) in enumerate(truth)]
    of_others = of_blobs(inputs, said, descriptions=written(tmp_path / "all.csv", ["group", "description"], wrong))
    assert of_others.metrics["descriptions/top1"] == 0
    with pytest.raises(UserError, match="6 groups that there are, from 0 to 5, got some of 17"):
        of_blobs(inputs, said, descriptions=written(tmp_path / "x.csv", ["group", "description"], [["17", "dogs"]]))


def test_captions_of_training_images_alone_and_images_without_labels(inputs: EvaluationInputs, tmp_path: Path) -> None:
    rows = [[str(i), text] for i, text in enumerate(blobs(600, 0)[1])]
    plain = [dataclasses.replace(part, labels=None, class_names=()) for part in (inputs.train, inputs.test)]
    unlabelled = EvaluationInputs(plain[0], plain[1], epsilon=1.0)
    result = of_blobs(unlabelled, written(tmp_path / "train.csv", ["id", "caption"], rows), per_range=4)
    assert result.metrics["captions/top1"] is result.metrics["purity"] is result.metrics["nmi"] is None
    assert len(set(result.arrays["caption"])) == 6
    assert np.isnan(result.arrays["purity"]).all()
    assert set(result.arrays["common_label"]) == {""}
    assert (result.arrays["chosen"].sum(), np.isfinite(result.arrays["chosen_low"]).any()) == (4, False)
    assert any("no pool to retrieve from" in note for note in result.notes)
    assert any("drawn at random" in note for note in result.notes)
    with pytest.raises(UserError, match="got none of 1 out of 600: 0"):
        of_blobs(unlabelled, written(tmp_path / "few.csv", ["id", "caption"], rows[1:]))
    with pytest.raises(UserError, match="Expected labelled images for captions=labels"):
        of_blobs(unlabelled, "labels")


def test_groups_that_are_all_too_small_are_not_asked_about(seen: EvaluationInputs) -> None:
    result = forced_choice(seen, captions="labels", grouping="labels", num_references=1000)
    assert result.settings["questions"] == ""
    assert not result.arrays["chosen"].any()
    assert any("have fewer than 1001 images and are not asked about" in note for note in result.notes)
    assert not any("purity above" in note or "could not be made" in note for note in result.notes)
    assert result.metrics["chance/recall1"] is None


def test_the_order_of_the_images_does_not_matter(inputs: EvaluationInputs) -> None:
    """Captions of three words, each of a hundred images: which of these are found is a matter of the seed."""
    order = torch.argsort(inputs.test.labels, stable=True)
    test = inputs.test
    labels = test.labels[order] if test.labels is not None else None
    ids = tuple(test.ids[i] for i in order)
    in_order = dataclasses.replace(test, h=test.h[order], labels=labels, ids=ids)
    by_class = EvaluationInputs(inputs.train, in_order, epsilon=1.0, lower=0.0, upper=0.9)
    assert of_blobs(by_class, "labels").metrics == of_blobs(inputs, "labels").metrics


def shades(images: Sequence[Image.Image]) -> list[str]:
    return ["light" if np.asarray(image).mean() > 30 else "dark" for image in images]


@pytest.fixture
def seen(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> EvaluationInputs:
    """Digits, by an encoder that saw them."""
    cache = tmp_path / "my run" / "representations"
    train, test = (cached_representations(encoder.eval(), data, split, cache) for split in ("train", "test"))
    return EvaluationInputs(train, test, pictures=Pictures(encoder.eval(), data, cache), epsilon=1.0, lower=0.3)


def test_the_folder_of_questions(seen: EvaluationInputs) -> None:
    options = {"num_clusters": 3, "num_references": 4, "ask_features": 2, **QUICK}
    result = forced_choice(seen, captions=shades, **options)
    assert seen.pictures is not None
    folder = seen.pictures.cache / result.settings["questions"]
    groups = json.loads((folder / "groups.json").read_text())
    trials = load_trials(folder / "trials.jsonl")
    asked = {trial.group for trial in trials.trials}
    assert (groups["source"], set(groups["groups"])) == ("my run", {str(group) for group in asked})
    features = {group - 1_000_000 for group in asked if group >= 1_000_000}
    assert features <= set(result.arrays["feature"].tolist())
    assert {groups["groups"][str(1_000_000 + feature)]["band"] for feature in features} <= {"discriminative", "outside"}
    kinds = {(trial.condition, trial.negatives, trial.described_by) for trial in trials.trials}
    assert kinds == {(IMAGES, RANDOM, ""), (IMAGES, HARD, ""), (DESCRIPTION, RANDOM, "automatic")}
    assert sum(trial.is_catch for trial in trials.trials) == 3
    names = json.loads((folder / "images.json").read_text())
    shown = {sample for trial in trials.trials for sample in (*trial.references, trial.positive, trial.negative)}
    assert set(names) == shown
    assert {file.name for file in (folder / "images").iterdir()} == set(names.values())
    source = seen.pictures.data.source("train")
    sample = trials.trials[0].positive
    original = source.image(source.ids.index(sample))
    assert original is not None
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "images" / names[sample])), np.asarray(original))
    assert features
    h = seen.train.h
    dominant = (h > h.mean(1, keepdim=True) + h.std(1, False, keepdim=True)).numpy()
    row = {sample: place for place, sample in enumerate(seen.train.ids)}
    q = q_score(h, seen.discriminative, seen.epsilon).numpy()
    for feature in features:
        about, inside = groups["groups"][str(1_000_000 + feature)], dominant[:, feature]
        assert about["size"] == inside.sum()
        assert about["mean_q"] == pytest.approx(q[inside].mean(), rel=1e-5)
    for trial in trials.trials:
        if trial.group >= 1_000_000:
            inside = dominant[:, trial.group - 1_000_000]
            assert inside[row[trial.positive]]
            assert not inside[row[trial.negative]]
            assert all(inside[row[sample]] for sample in trial.references)
    assert not [path for path in seen.pictures.cache.iterdir() if path.name.startswith(".questions")]
    assert result.arrays["examples"].shape[1:] == (10, 32, 32, 3)
    assert set(result.arrays["examples_group"]) >= {group for group in asked if group < 1_000_000}
    assert forced_choice(seen, captions=shades, **options).settings["questions"] == folder.name


def test_two_runs_may_write_the_same_questions_at_once(seen: EvaluationInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen.pictures is not None
    clusters = np.array([int(label) for label in seen.train.labels]) if seen.train.labels is not None else np.zeros(0)
    trials = make_trials(clusters, seen.train.ids, design=TrialDesign(num_references=2, num_trials=1))
    calls: list[str] = []
    saved = files.save_trials

    def overtaken(*arguments: object) -> None:
        calls.append("")
        if len(calls) == 1:  # the other run begins later and is done first
            files.write_questions(seen, trials, {})
        saved(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "save_trials", overtaken)
    folder = seen.pictures.cache / files.write_questions(seen, trials, {})
    assert len(calls) == 2
    assert load_trials(folder / "trials.jsonl") == trials
    assert not [path for path in seen.pictures.cache.iterdir() if path.name.startswith(".questions")]


@pytest.mark.parametrize("failing", ["groups", "features"])
def test_questions_that_can_be_made_are_made_where_others_cannot(
    seen: EvaluationInputs, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise UserError(f"no {failing}")

    monkeypatch.setattr(questions_folder, f"about_{failing}", fails)
    options = {"num_clusters": 3, "num_references": 4, "ask_features": 2, **QUICK}
    result = forced_choice(seen, captions=shades, **options)
    assert seen.pictures is not None
    asked = load_trials(seen.pictures.cache / result.settings["questions"] / "trials.jsonl").trials
    assert {trial.group >= 1_000_000 for trial in asked} == {failing == "groups"}
    assert any(f"could not be made: no {failing}" in note for note in result.notes)


def test_a_feature_that_cannot_be_asked_about_is_named_by_its_number(seen: EvaluationInputs) -> None:
    present = np.zeros((len(seen.train.ids), 2), dtype=bool)
    present[:3] = True
    found = FeatureGroups(np.array([17, 42]), np.array([True, False]), present)
    with pytest.raises(UserError, match=r"feature 17: 3 samples, 11 needed.*feature 42: 3 samples") as raised:
        about_features(seen, found, {}, TrialDesign(negatives=(RANDOM,)), 2)
    assert "class 0" not in str(raised.value)


def test_images_are_searched_by_pixels(seen: EvaluationInputs) -> None:
    result = forced_choice(seen, captions="labels", grouping="labels", num_references=4, questions=False)
    assert result.metrics["nearest_image/binary"] is not None
    assert result.metrics["nearest_image/binary"] > 0.6  # digits look like digits of their class
    without = forced_choice(seen, captions="labels", grouping="labels", num_references=4, search_images=False)
    assert without.metrics["nearest_image/binary"] is None
    assert without.metrics["captions/top1"] == result.metrics["captions/top1"]


def test_words_are_joined_to_sentences(seen: EvaluationInputs) -> None:
    result = forced_choice(seen, captions=["colour_count", "brightness"], num_clusters=3, num_references=4, **QUICK)
    assert all(", " in caption or "colour" in caption for caption in result.arrays["caption"])
    assert result.settings["captions"] == "words: colour_count, brightness"
    assert any("know no things" in note for note in result.notes)
