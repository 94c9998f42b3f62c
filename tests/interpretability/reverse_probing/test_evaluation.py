"""The evaluation as a whole, on representations of which it is known what can be said about them."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from qscore.data import ImageDataModule, Splits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.interpretability.reverse_probing import kept
from qscore.interpretability.reverse_probing.concepts import make_concepts
from qscore.interpretability.reverse_probing.evaluation import reverse_probing
from qscore.interpretability.reverse_probing.measures import MEASURES
from qscore.interpretability.reverse_probing.sources import gather
from qscore.interpretability.reverse_probing.tables import save_concepts
from qscore.interpretability.reverse_probing.transfer_evaluation import reverse_transfer
from qscore.records import Representations
from qscore.results import load_result
from qscore.score import cached_representations

NUM = 1200
CLASSES = ("circle", "square", "star")


def shapes_and_colours(num: int, seed: int, first_id: int = 0) -> tuple[Representations, np.ndarray]:
    """Six blobs, one for each class and colour; which samples are red."""
    generator = np.random.default_rng(seed)
    labels, is_red = generator.integers(3, size=num), generator.random(num) < 0.5
    h = np.abs(generator.normal(size=(num, 5)))
    h[np.arange(num), labels] += 30
    h[:, 4] += 30 * is_red
    ids = tuple(str(first_id + i) for i in range(num))
    found = Representations(torch.from_numpy(h).float(), torch.from_numpy(labels), ids, CLASSES, f"blobs{seed}")
    return found, is_red


@pytest.fixture
def inputs() -> EvaluationInputs:
    train, test = shapes_and_colours(NUM, 0)[0], shapes_and_colours(200, 1, NUM)[0]
    return EvaluationInputs(train, test, epsilon=1.0, lower=0.0, upper=1.0)


@pytest.fixture
def table(tmp_path: Path, inputs: EvaluationInputs) -> str:
    """What is red, and two words that mean nothing."""
    is_red = np.concatenate([shapes_and_colours(NUM, 0)[1], shapes_and_colours(200, 1)[1]])
    noise = np.random.default_rng(2).random((len(is_red), 2)) < 0.3
    ids = [*inputs.train.ids, *inputs.test.ids]
    concepts = make_concepts(
        np.column_stack([is_red, ~is_red, noise]),
        ["red", "blue", "x", "y"],
        ["colour", "colour", "noise", "noise"],
        ids,
    )
    save_concepts(concepts, tmp_path / "words.csv")
    return str(tmp_path / "words.csv")


def test_six_blobs_are_all_that_labels_and_colours_say(inputs: EvaluationInputs, table: str, tmp_path: Path) -> None:
    options = {"concepts": ["labels", table], "num_clusters": 6, "num_clusterings": 2}
    result = reverse_probing(inputs, **options, ks=[2, 6])
    metrics = result.metrics
    assert metrics["information_nats"] == pytest.approx(metrics["entropy_nats"], abs=0.03)
    assert metrics["ami"] == metrics["top1"] == 1
    assert abs(metrics["shuffled/information_nats"] or 1) < 0.02
    assert (metrics["num_concepts"], metrics["num_clusters"], metrics["num_samples"]) == (7, 6, NUM)
    arrays, nats = result.arrays, MEASURES.index("information_nats")
    assert arrays["cumulative_steps"].tolist() == ["labels", "+ colour", "+ noise"]
    assert arrays["cumulative_without_steps"].tolist() == ["colour", "+ noise"]
    assert arrays["added_groups"].tolist() == ["colour", "noise"]
    assert arrays["added"][0, :, nats].min() > 0.6
    assert np.abs(arrays["added"][1, :, nats]).max() < 0.02
    assert np.abs(arrays["added_shuffled"][:, :, nats]).max() < 0.02
    assert arrays["by_k"].shape == (2, 2, len(MEASURES))
    assert arrays["pair_group"][0] == "colour"
    assert {str(name) for name in arrays["pair_concepts"][0, :2]} == {"red", "blue"}
    same_class = arrays["pair_labels"][arrays["pair_p"] < 0.05]
    assert len(same_class) > 0
    assert (same_class[:, 0] == same_class[:, 1]).all()
    path = result.save(tmp_path)
    assert load_result(path).metrics == json.loads(path.read_text())["metrics"] == metrics
    again = reverse_probing(inputs, **options, ks=[2, 6])
    assert again.metrics == metrics
    for name, array in arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)


def test_surprise_finds_the_samples_whose_colour_is_told_wrongly(inputs: EvaluationInputs, table: str) -> None:
    concepts = ["labels", table]
    result = reverse_probing(inputs, concepts=concepts, num_clusters=6, num_clusterings=2, ablate=False, num_pairs=0)
    surprise = result.arrays["surprise"]
    assert surprise.shape == result.arrays["q"].shape == result.arrays["misclassified"].shape == (200,)
    # Without the labels a third of each colour's clusters is the best guess.
    assert np.median(surprise) == pytest.approx(np.log(3), abs=0.15)
    lying = gather(concepts, inputs)
    assert lying.test is not None
    with_labels = reverse_probing(inputs, concepts=["labels"], num_clusters=6, num_clusterings=2, ablate=False)
    assert np.median(with_labels.arrays["surprise"]) == pytest.approx(np.log(2), abs=0.15)
    assert any("labels" in note for note in with_labels.notes)


def test_groups_of_other_makers(inputs: EvaluationInputs, table: str, tmp_path: Path) -> None:
    options = {"num_clusterings": 2, "ablate": False, "num_pairs": 0}
    of_labels = reverse_probing(inputs, concepts=[table], grouping="labels", **options)
    assert abs(of_labels.metrics["information_nats"] or 0) < 0.05  # colours say nothing about shapes
    assert "surprise" not in of_labels.arrays
    assert any("given" in note for note in of_labels.notes)
    rows = [f"{sample},{int(label) if place else -1}" for place, (sample, label) in enumerate(_labelled(inputs))]
    (tmp_path / "own.csv").write_text("\n".join(["id,cluster", *rows]))
    own = reverse_probing(inputs, concepts=["labels"], grouping=str(tmp_path / "own.csv"), **options)
    assert own.metrics["top1"] == 1
    assert own.settings["num_in_no_cluster"] == 1
    dominant = reverse_probing(inputs, concepts=["labels", table], grouping="dominant_features", **options)
    assert dominant.metrics["num_clusters"] == dominant.settings["num_clusters"] > 1


def _labelled(inputs: EvaluationInputs) -> list[tuple[str, int]]:
    assert inputs.train.labels is not None
    return list(zip(inputs.train.ids, inputs.train.labels.tolist(), strict=True))


def test_images_without_labels_and_ids_that_both_parts_have(
    inputs: EvaluationInputs, table: str, tmp_path: Path
) -> None:
    train, test = (dataclasses.replace(part, labels=None, class_names=()) for part in (inputs.train, inputs.test))
    unlabelled = EvaluationInputs(train, test, epsilon=1.0)
    options = {"num_clusters": 6, "num_clusterings": 1, "num_pairs": 0}
    found = reverse_probing(unlabelled, concepts=["labels", table], **options)
    assert "no labels" in found.notes[0]
    assert "bridge/surprise_q_spearman" in found.metrics
    assert "bridge/auroc_q" not in found.metrics
    assert found.metrics["ami_sd"] is None
    with pytest.raises(UserError, match="name them: concepts="):
        reverse_probing(unlabelled, concepts=["labels"], **options)

    alike = EvaluationInputs(inputs.train, dataclasses.replace(inputs.test, ids=inputs.train.ids[:200]), epsilon=1.0)
    plain = gather([table], alike)
    assert plain.test is None
    assert "does not know the held-out samples" in plain.notes[0]
    words = Path(table).read_text().splitlines()
    told_apart = [f"train/{row}" for row in words[1 : NUM + 1]]
    told_apart += [f"test/{int(row.split(',')[0]) - NUM},{row.split(',', 1)[1]}" for row in words[NUM + 1 :]]
    (tmp_path / "apart.csv").write_text("\n".join([words[0], *told_apart]))
    both = gather([str(tmp_path / "apart.csv")], alike)
    assert both.test is not None
    assert both.train.ids == alike.train.ids
    assert both.test.ids == alike.test.ids
    is_red = both.test.present[:, [both.test.names.index("red")]].toarray()[:, 0]
    assert np.array_equal(is_red, shapes_and_colours(200, 1)[1])


def test_mistakes_are_said(inputs: EvaluationInputs, table: str, tmp_path: Path) -> None:
    few = Path(table).read_text().splitlines()[:-250]
    (tmp_path / "few.csv").write_text("\n".join(few))
    with pytest.raises(UserError, match="got none of 50 out of 1200: 1150, 1151"):
        reverse_probing(inputs, concepts=[str(tmp_path / "few.csv")])
    with pytest.raises(UserError, match="from 1 in num_clusterings, got 0"):
        reverse_probing(inputs, concepts=["labels"], num_clusterings=0)
    with pytest.raises(UserError, match="Expected the images behind the representations for the expert 'colour'"):
        reverse_probing(inputs, concepts=["colour"])
    with pytest.raises(UserError, match="Expected every concept once"):
        reverse_probing(inputs, concepts=["labels", "labels"])


@pytest.fixture
def seen(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> EvaluationInputs:
    """Digits, by an encoder that saw them."""
    train, test = (cached_representations(encoder.eval(), data, split, tmp_path) for split in ("train", "test"))
    return EvaluationInputs(train, test, pictures=Pictures(encoder.eval(), data, tmp_path), epsilon=2.0)


def test_what_was_made_is_kept_and_what_changed_is_made_again(
    seen: EvaluationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"num_clusters": 4, "num_clusterings": 2, "ablate": False}
    first = reverse_probing(seen, concepts=["labels", "brightness"], **options)
    asked: list[str] = []
    monkeypatch.setattr(kept, "quantize", lambda *_, **__: asked.append("clusters"))
    probe = kept.Prober.probe
    monkeypatch.setattr(kept.Prober, "probe", lambda *args: asked.append("probe") or probe(*args))
    concepts = gather(["brightness"], seen).train
    groupings = [q.assign(seen.train.h) for q in kept.kept_quantizers(seen, 4, 2)]
    prober = kept.Prober(seen.seed, "lbfgs", seen.device or "cpu")
    kept.kept_probes(seen, concepts, groupings, prober)
    assert asked == []
    flipped = dataclasses.replace(concepts, present=concepts.present[::-1])
    kept.kept_probes(seen, flipped, groupings, prober)
    assert asked == ["probe", "probe"]
    assert reverse_probing(seen, concepts=["labels", "brightness"], **options).metrics == first.metrics


def test_the_same_images_transfer_without_loss_and_others_do_not(seen: EvaluationInputs, data: ImageDataModule) -> None:
    train = data.source("train")
    assert isinstance(train, ArrayImages)
    negative = ArrayImages(255 - train.images, None, (), train.ids)
    others = ImageDataModule(Splits(negative, negative, negative), image_size=28, batch_size=32, num_workers=0)
    words = ["labels", "brightness", "edges", "colour_count"]
    options = {"num_clusters": 3, "num_clusterings": 2}
    result = reverse_transfer(seen, datasets={"same": data, "negative": others}, concepts=words, **options)
    assert result.arrays["datasets"].tolist() == ["same", "negative"]
    anew = reverse_probing(seen, concepts=words, **options, ablate=False, num_pairs=0)
    for measure in MEASURES:
        assert result.metrics[f"same/own/{measure}"] == anew.metrics[measure]
    stored, negated = (result.metrics[f"{name}/stored/information_nats"] for name in ("same", "negative"))
    assert stored is not None
    assert negated is not None
    assert stored > negated
    with pytest.raises(UserError, match="other than labels"):
        reverse_transfer(seen, datasets={"same": data}, concepts=["labels"])


def test_labels_do_not_explain_themselves(inputs: EvaluationInputs, table: str) -> None:
    options = {"grouping": "labels", "num_clusterings": 1, "ablate": False, "num_pairs": 0}
    found = reverse_probing(inputs, concepts=["labels", table], **options)
    assert found.settings["groups"] == ["colour", "noise"]
    assert found.metrics == reverse_probing(inputs, concepts=[table], **options).metrics
    with pytest.raises(UserError, match="Expected concepts to probe with"):
        reverse_probing(inputs, concepts=["labels"], **options)


def test_images_of_one_class_are_probed_without_errors_to_foresee(inputs: EvaluationInputs, table: str) -> None:
    one = EvaluationInputs(
        dataclasses.replace(inputs.train, labels=torch.zeros(NUM, dtype=torch.long)),
        dataclasses.replace(inputs.test, labels=torch.zeros(200, dtype=torch.long)),
        epsilon=1.0,
        lower=0.0,
        upper=1.0,
    )
    found = reverse_probing(one, concepts=[table], num_clusters=6, num_clusterings=1, num_pairs=0)
    assert "bridge/surprise_q_spearman" in found.metrics
    assert "misclassified" not in found.arrays


def test_words_that_say_nothing_are_surprised_by_rare_clusters(inputs: EvaluationInputs, tmp_path: Path) -> None:
    ids = [*inputs.train.ids, *inputs.test.ids]
    silent = np.random.default_rng(5).random((len(ids), 3)) < 0.5
    save_concepts(make_concepts(silent, ["a", "b", "c"], "noise", ids), tmp_path / "noise.csv")
    options = {"num_clusters": 6, "num_clusterings": 2, "ablate": False, "num_pairs": 0}
    found = reverse_probing(inputs, concepts=[str(tmp_path / "noise.csv")], **options)
    np.testing.assert_allclose(found.arrays["surprise"], found.arrays["rarity"], atol=0.25)
    assert np.median(np.abs(found.arrays["surprise"] - found.arrays["rarity"])) < 0.05


def test_a_broken_file_is_made_again(seen: EvaluationInputs) -> None:
    first = kept.kept_quantizers(seen, 4, 1)
    assert seen.pictures is not None
    (file,) = (seen.pictures.cache / "clusters").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:500])
    assert torch.equal(kept.kept_quantizers(seen, 4, 1)[0].centroids, first[0].centroids)
    assert torch.equal(kept.Quantizer.load(file).centroids, first[0].centroids)


def test_a_table_speaks_of_another_data_set_by_its_name(
    seen: EvaluationInputs, data: ImageDataModule, tmp_path: Path
) -> None:
    numbers = [int(i) for i in (*seen.train.ids, *seen.test.ids)]
    own = [f"{prefix}{i},{i % 2}" for prefix in ("", "same/") for i in numbers]
    (tmp_path / "both.csv").write_text("\n".join(["id,odd", *dict.fromkeys(own)]))
    (tmp_path / "one.csv").write_text("\n".join(["id,odd", *(row for row in dict.fromkeys(own) if "/" not in row)]))
    options = {"datasets": {"same": data}, "num_clusters": 3, "num_clusterings": 1}
    found = reverse_transfer(seen, concepts=[str(tmp_path / "both.csv")], **options)
    assert found.metrics["same/stored/shuffled/information_nats"] is not None
    with pytest.raises(UserError, match="same/"):
        reverse_transfer(seen, concepts=[str(tmp_path / "one.csv")], **options)
