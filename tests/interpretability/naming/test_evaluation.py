"""The evaluation of a run for naming, and the folder of maps that people name."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.interpretability.naming import gathering
from qscore.interpretability.naming.activations import find_activations as find
from qscore.interpretability.naming.activations import load_activations
from qscore.interpretability.naming.evaluation import naming
from qscore.interpretability.naming.explained import Explained, explain_probe
from qscore.interpretability.naming.maps_folder import grey
from qscore.interpretability.naming.xnn_training import XNNTraining
from qscore.score import cached_representations, dominant_features


@pytest.fixture
def seen(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> EvaluationInputs:
    """Digits, by an encoder that saw them."""
    cache = tmp_path / "my run" / "representations"
    train, test = (cached_representations(encoder.eval(), data, split, cache) for split in ("train", "test"))
    return EvaluationInputs(train, test, pictures=Pictures(encoder.eval(), data, cache), epsilon=1.0, lower=0.3)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> Callable[[EvaluationInputs], Explained]:
    """Explanation networks of few steps, the same for whoever asks."""

    def explain(inputs: EvaluationInputs, *, force: bool = True) -> Explained:
        return explain_probe(inputs, XNNTraining(num_steps=60, batch_size=64), force=force)

    monkeypatch.setattr("qscore.interpretability.naming.evaluation.explain_probe", explain)
    return explain


def rows_of(inputs: EvaluationInputs, name: str) -> list[dict[str, Any]]:
    assert inputs.pictures is not None
    return [json.loads(line) for line in (inputs.pictures.cache / name / "maps.jsonl").read_text().splitlines()]


def test_every_significant_feature_of_an_image_has_a_map_in_the_folder(seen: EvaluationInputs) -> None:
    result = naming(seen, num_images=5, num_groups=3, layer="layer2")
    assert seen.pictures is not None
    folder = seen.pictures.cache / result.settings["maps"]
    rows, groups = rows_of(seen, result.settings["maps"]), json.loads((folder / "groups.json").read_text())
    dominant = dominant_features(seen.test.h, seen.epsilon) & seen.discriminative
    place = {sample: i for i, sample in enumerate(seen.test.ids)}
    for sample in {row["image"] for row in rows}:
        values = sorted((seen.test.h[place[sample]] * dominant[place[sample]]).tolist(), reverse=True)
        own = sorted((row["score"] for row in rows if row["image"] == sample), reverse=True)
        assert own == pytest.approx(values[: len(own)])
        assert sum(own) >= 0.9 * sum(values) * (1 - 1e-6) > sum(own[:-1])
        label = seen.labels[1][place[sample]]
        assert {row["group"] for row in rows if row["image"] == sample} == {seen.test.class_names[int(label)]}
    for row in rows:
        with Image.open(folder / row["map_file"]) as heat, Image.open(folder / row["image_file"]) as image:
            assert (heat.mode, heat.size, heat.getextrema()[1]) == ("L", image.size, 255)
    assert sorted(facts["title"] for facts in groups["groups"].values()) == ["Group 1", "Group 2", "Group 3"]
    assert all(facts["num_images"] <= 5 for facts in groups["groups"].values())
    assert groups["source"] | {"notes": []} == {
        "encoder": "my run",
        "split": "test",
        "features": "discriminative",
        "layer": "layer2",
        "method": "excitation backprop",
        "share": 0.9,
        "notes": [],
    }
    kept = load_activations(folder / "activations.jsonl")
    assert [one.activation_id for one in kept.activations] == [row["activation_id"] for row in rows]
    assert result.metrics["blank_maps"] == 0
    assert result.arrays["activation"].tolist() == [row["activation_id"] for row in rows]


def test_the_folder_is_written_once_and_whole_or_not_at_all(
    seen: EvaluationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen.pictures is not None
    options = {"num_images": 2, "num_groups": 2, "layer": "layer2"}
    before = sorted(seen.pictures.cache.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr("qscore.interpretability.naming.maps_folder.save_activations", full)
        with pytest.raises(OSError, match="disk full"):
            naming(seen, **options)
    assert sorted(seen.pictures.cache.iterdir()) == before
    first, second = naming(seen, **options), naming(seen, **options)
    assert first.settings["maps"] == second.settings["maps"]
    assert len(sorted(seen.pictures.cache.iterdir())) == len(before) + 1


def full(*_: object) -> None:
    raise OSError("disk full")


def test_groups_of_features_hold_the_images_where_each_contributes_most(seen: EvaluationInputs) -> None:
    result = naming(seen, group_by="feature", num_images=4, num_groups=50, maps=False)
    whole = naming(seen, group_by="label", num_images=10**6, num_groups=10**6, maps=False)
    for feature in set(result.arrays["feature"].tolist()):
        own = result.arrays["contribution"][result.arrays["feature"] == feature]
        everything = whole.arrays["contribution"][whole.arrays["feature"] == feature]
        assert own.tolist() == sorted(everything.tolist(), reverse=True)[:4]
        assert len(everything) >= 3, "no concept is made of one or two images"
    assert set(result.arrays["group"]) == {f"feature {feature}" for feature in result.arrays["feature"]}
    shared = ("num_activations", "num_images", "significant_features", "without_evidence")
    assert [result.metrics[name] for name in shared] == [whole.metrics[name] for name in shared]


def test_without_labels_clusters_are_named_and_classes_cannot_be(seen: EvaluationInputs) -> None:
    train, test = (dataclasses.replace(part, labels=None) for part in (seen.train, seen.test))
    unlabelled = EvaluationInputs(train, test, pictures=seen.pictures, epsilon=1.0, lower=0.3)
    result = naming(unlabelled, num_clusters=3, maps=False)
    assert set(result.arrays["group"]) <= {"cluster 0", "cluster 1", "cluster 2"}
    for options in ({"group_by": "label"}, {"source": "probe"}):
        with pytest.raises(UserError, match="labelled images"):
            naming(unlabelled, maps=False, **options)


def test_terms_of_a_probe_add_up_to_most_of_its_positive_logit(seen: EvaluationInputs) -> None:
    result = naming(seen, source="probe", num_images=3, maps=False)
    model = seen.probe.model
    place = {sample: i for i, sample in enumerate(seen.test.ids)}
    for sample in set(result.arrays["sample"].tolist()):
        label = int(seen.labels[1][place[sample]])
        weights = model.coefficients[model.classes.tolist().index(label)] / model.scale
        positive = np.maximum(weights * seen.test.h[place[sample]].double().numpy(), 0).sum()
        own = result.arrays["contribution"][result.arrays["sample"] == sample].sum()
        assert 0.9 - 1e-9 <= own / positive <= 1


def test_images_of_either_split_stand_beside_their_maps(seen: EvaluationInputs) -> None:
    assert seen.pictures is not None
    result = naming(seen, split="train", num_images=2, num_groups=2, layer="layer2")
    folder = seen.pictures.cache / result.settings["maps"]
    for row in rows_of(seen, result.settings["maps"]):
        shown = seen.pictures.plain(seen.pictures.positions([row["image"]], split="train"), split="train")[0]
        with Image.open(folder / row["image_file"]) as image:
            assert np.array_equal(np.asarray(image), (255 * shown).round().byte().permute(1, 2, 0).numpy())


def test_maps_that_are_no_excitation_backprop_say_so(seen: EvaluationInputs) -> None:
    assert seen.pictures is not None
    result = naming(seen, num_images=2, num_groups=2, layer="layer2", method="gradient_activation")
    groups = json.loads((seen.pictures.cache / result.settings["maps"] / "groups.json").read_text())
    assert groups["source"]["method"] == "gradient x activation"
    assert any("not Excitation Backprop" in note for note in result.notes)


def test_without_images_nothing_is_written_and_the_reader_is_told(seen: EvaluationInputs) -> None:
    result = naming(EvaluationInputs(seen.train, seen.test, epsilon=1.0, lower=0.3))
    assert result.settings["maps"] == ""
    assert any("no images" in note for note in result.notes)


def test_a_map_is_enlarged_and_its_highest_place_is_white() -> None:
    heat = np.zeros((2, 2), np.float32)
    assert not np.asarray(grey(heat, (6, 4))).any()
    heat[0, 1] = 0.02
    large = np.asarray(grey(heat, (6, 4)))
    assert large.shape == (4, 6)
    assert large[0, 5] == 255
    assert large[3, 0] == 0


def test_dead_features_are_counted(seen: EvaluationInputs) -> None:
    h = torch.nn.functional.pad(seen.test.h, (0, 3))
    train, test = (
        dataclasses.replace(seen.train, h=torch.nn.functional.pad(seen.train.h, (0, 3))),
        dataclasses.replace(seen.test, h=h),
    )
    alive = naming(EvaluationInputs(seen.train, seen.test, epsilon=1.0, lower=0.3)).metrics["dead_features"]
    metrics = naming(EvaluationInputs(train, test, epsilon=1.0, lower=0.3)).metrics
    assert metrics["dead_features"] == (alive or 0) + 3


def test_explanation_networks_are_judged_by_held_out_images_whichever_are_named(
    seen: EvaluationInputs, quickly: Callable[[EvaluationInputs], Explained]
) -> None:
    on_held_out = quickly(seen).fidelity
    assert on_held_out != quickly(dataclasses.replace(seen, test=seen.train)).fidelity
    result = naming(seen, source="xnn", split="train", num_images=2, layer="layer2", force=True)
    assert on_held_out.line() in result.notes
    assert result.metrics["xnn_error"] == max(on_held_out.errors)
    both = zip(result.arrays["group"].tolist(), result.arrays["feature"].tolist(), strict=True)
    assert len(set(result.arrays["feature"].tolist())) <= 5 < len(set(both)) == result.metrics["distinct_features"]
    with pytest.raises(UserError, match="faithful to the network"):
        naming(seen, source="xnn", split="train", maps=False)


@pytest.mark.parametrize(("layer", "message"), [("layer9", "Unknown layer 'layer9'"), ("", "the name of a layer")])
def test_a_layer_is_looked_up_before_anything_is_computed(seen: EvaluationInputs, layer: str, message: str) -> None:
    unlabelled = dataclasses.replace(seen, test=dataclasses.replace(seen.test, labels=None))
    with pytest.raises(UserError, match=message):
        naming(unlabelled, source="xnn", layer=layer)


def test_images_are_looked_for_once(seen: EvaluationInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for the maps and once for the folder, since each search lists all images."""
    searches, search = [], Pictures.positions
    monkeypatch.setattr(
        Pictures, "positions", lambda self, ids, **more: (searches.append(1), search(self, ids, **more))[1]
    )
    assert (naming(seen, num_images=3, num_groups=2, layer="layer2").metrics["num_images"] or 0) > 2
    assert len(searches) == 2


def test_all_groups_are_counted_and_only_those_drawn_are_made(
    seen: EvaluationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = naming(seen, num_groups=1000, num_images=4, maps=False)
    made: set[str] = set()
    monkeypatch.setattr(gathering, "find_activations", lambda *a, **more: (made.update(a[2]), find(*a, **more))[1])
    few = naming(seen, num_groups=3, num_images=4, maps=False)
    assert set(few.arrays["group"].tolist()) == made
    assert len(made) == 3
    for name, own in few.arrays.items():
        if name != "without_evidence":
            assert np.array_equal(own, whole.arrays[name][np.isin(whole.arrays["group"], sorted(made))])
    counts = ("num_activations", "num_images", "significant_features", "distinct_features", "without_evidence")
    assert [few.metrics[name] for name in counts] == [whole.metrics[name] for name in counts]
    assert whole.metrics["num_activations"] == len(whole.arrays["activation"])
    assert whole.metrics["distinct_features"] == len(set(whole.arrays["feature"].tolist()))
