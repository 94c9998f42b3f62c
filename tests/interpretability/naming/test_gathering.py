"""From an evaluated encoder to significant activations and their maps, by each source."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.interpretability.naming import gathering
from qscore.interpretability.naming.excitation import excitation_maps
from qscore.interpretability.naming.explained import explain_probe, probe_scores
from qscore.interpretability.naming.gathering import gather_activations
from qscore.interpretability.naming.gathering_maps import gather_maps
from qscore.interpretability.naming.maps import default_layer, load_maps, overlay, save_maps
from qscore.interpretability.naming.xnn_training import XNNTraining
from qscore.score import cached_representations, dominant_features


@pytest.fixture
def inputs(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> EvaluationInputs:
    train, test = (cached_representations(encoder.eval(), data, split, tmp_path) for split in ("train", "test"))
    return EvaluationInputs(train, test, pictures=Pictures(encoder.eval(), data, tmp_path), epsilon=1.0)


def test_discriminative_features_with_their_maps(inputs: EvaluationInputs, tmp_path: Path) -> None:
    activations = gather_activations(inputs, num_images=4)
    place = {sample: row for row, sample in enumerate(inputs.test.ids)}
    dominant = dominant_features(inputs.test.h, 1.0) & inputs.discriminative
    for activation in activations.activations:
        row = place[activation.sample]
        assert dominant[row, activation.feature]
        assert activation.contribution == pytest.approx(float(inputs.test.h[row, activation.feature]))
        assert activation.group == inputs.test.class_names[int(inputs.test.labels[row])]
    drawn = {a.sample for a in activations.activations} | {s for g in activations.without_evidence.values() for s in g}
    assert len(drawn) == 40
    named, maps = gather_maps(inputs, activations, layer="layer2")
    assert (named.layer, named.method) == ("layer2", "excitation_backprop")
    images = inputs.pictures.plain([place[a.sample] for a in activations.activations[:5]])
    features = torch.tensor([a.feature for a in activations.activations[:5]])
    torch.testing.assert_close(maps[:5], excitation_maps(inputs.pictures.encoder, images, features, layer="layer2"))
    save_maps(maps, named, tmp_path / "maps.npz")
    assert np.array_equal(load_maps(named, tmp_path / "maps.npz"), maps.numpy())
    with pytest.raises(UserError, match="of these activations"):
        load_maps(gather_activations(inputs, source="probe", num_images=1), tmp_path / "maps.npz")


def test_groups_can_be_given_and_labels_be_missing(inputs: EvaluationInputs) -> None:
    groups = ["left" if i < 10 else "right" for i in range(64)]
    assert gather_activations(inputs, groups=groups).groups == ("left", "right")
    inputs.test = type(inputs.test)(inputs.test.h, None, inputs.test.ids, (), "f")
    assert gather_activations(inputs).groups == ("all",)
    with pytest.raises(UserError, match="each of 64"):
        gather_activations(inputs, groups=["left"])
    with pytest.raises(UserError, match="labelled"):
        gather_activations(inputs, source="probe")


def test_terms_of_the_probe_and_of_what_explains_it(inputs: EvaluationInputs) -> None:
    by_probe = gather_activations(inputs, source="probe", num_images=2)
    assert by_probe.source == "probe"
    with pytest.raises(UserError, match="explain_probe"):
        gather_activations(inputs, source="xnn")
    explained = explain_probe(inputs, XNNTraining(num_steps=100, batch_size=64), force=True)
    by_xnn = gather_activations(inputs, source="xnn", num_images=2, explained=explained)
    assert by_xnn.notes == explained.notes
    place = {sample: row for row, sample in enumerate(inputs.test.ids)}
    for activation in by_xnn.activations[:5]:
        row, c = place[activation.sample], inputs.test.class_names.index(activation.group)
        x = explained.xnn.features(inputs.test.h[row : row + 1])[0, c, activation.feature]
        assert activation.contribution == pytest.approx(
            float(x * explained.xnn.coefficients[c, activation.feature]), rel=1e-4
        )
    _, maps = gather_maps(inputs, by_xnn, explained=explained)
    torch.testing.assert_close(maps.sum((1, 2)), torch.ones(len(maps)))
    accuracy = (probe_scores(inputs, inputs.test.h).argmax(1).numpy() == inputs.probe.predictions).mean()
    assert accuracy == 1


def test_the_default_layer_is_the_last_with_four_places(encoder: Encoder) -> None:
    """28 px by a CIFAR stem: maps of 28, 14, 7 and 4 places."""
    assert default_layer(encoder, torch.rand(1, 3, 28, 28)) == "layer4"
    assert default_layer(encoder, torch.rand(1, 3, 20, 20)) == "layer3"
    assert default_layer(encoder, torch.rand(1, 3, 3, 3)) == "layer1"
    with pytest.raises(UserError, match="a map"):
        default_layer(nn.Sequential(nn.Flatten(), nn.Linear(27, 2)), torch.rand(1, 3, 3, 3))


def test_an_overlay_is_red_where_the_map_is_high_and_dim_where_it_is_low() -> None:
    image = np.full((8, 8, 3), 200, np.uint8)
    heat = np.zeros((2, 2))
    heat[0, 1] = 0.3
    found = overlay(image, heat).astype(int)
    assert found[0, 7, 0] > 100 > found[0, 7, 2]
    assert found[7, 0].tolist() == [90, 90, 90]
    assert np.array_equal(overlay(image, 7 * heat), found)
    assert (overlay(image, np.zeros((2, 2))) == 90).all()


class Quadrants(nn.Module):
    """Four features, each a change of sign or none of the brightness of a quadrant, less a threshold."""

    signs = (1.0, -1.0, 1.0, -1.0)

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.ones_(self.convolution.weight)

    def forward(self, images: Tensor) -> Tensor:
        bright = nn.functional.avg_pool2d(self.convolution(images), images.shape[-1] // 2).flatten(1)
        return bright * torch.tensor(self.signs)


@pytest.fixture
def signed(encoder: Encoder, data: ImageDataModule, tmp_path: Path) -> EvaluationInputs:
    """Digits by features that are negative by turns."""
    encoder.network = Quadrants()
    encoder.mean.zero_()
    train, test = (cached_representations(encoder.eval(), data, split, tmp_path) for split in ("train", "test"))
    return EvaluationInputs(train, test, pictures=Pictures(encoder.eval(), data, tmp_path))


def test_a_map_of_a_signed_term_shows_what_is_evidence(signed: EvaluationInputs) -> None:
    activations = gather_activations(signed, source="probe", num_images=3)
    shown, maps = gather_maps(signed, activations, layer="convolution", method="gradient_activation")
    assert shown.activations == activations.activations
    place = {sample: row for row, sample in enumerate(signed.test.ids)}
    negative = 0
    for one, heat in zip(shown.activations, maps, strict=True):
        h = signed.test.h[place[one.sample], one.feature]
        seen: list[Tensor] = []
        network = signed.pictures.encoder.network
        handle = network.convolution.register_forward_hook(lambda *args, to=seen: to.append(args[2]))
        term = signed.pictures.encoder(signed.pictures.plain([place[one.sample]]))[0, one.feature]
        handle.remove()
        weight = one.contribution / float(h)
        (slopes,) = torch.autograd.grad(weight * term, seen[0])
        expected = (slopes * seen[0]).detach().sum(1)[0].clamp(min=0)
        torch.testing.assert_close(heat, expected / expected.sum())
        negative += int(h < 0)
    assert 0 < negative < len(maps)


def test_excitation_backprop_leaves_negative_features_out_and_says_how_many(signed: EvaluationInputs) -> None:
    activations = gather_activations(signed, source="probe", num_images=3)
    negative = [one for one in activations.activations if Quadrants.signs[one.feature] < 0]
    shown, maps = gather_maps(signed, activations, layer="convolution", method="excitation_backprop")
    assert len(maps) == len(shown.activations) == len(activations.activations) - len(negative)
    assert not set(shown.activations) & set(negative)
    assert any(note.startswith(f"{len(negative)} of {len(activations.activations)} terms") for note in shown.notes)
    alone = dataclasses.replace(activations, activations=tuple(negative))
    with pytest.raises(UserError, match="method=gradient_activation"):
        gather_maps(signed, alone, layer="convolution", method="excitation_backprop")


def test_layers_are_looked_up_before_any_image_and_blank_maps_are_refused(
    inputs: EvaluationInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    activations = gather_activations(inputs, num_images=2)
    blank = "qscore.interpretability.naming.gathering_maps.activation_maps"
    with monkeypatch.context() as patch:
        patch.setattr(blank, lambda _encoder, images, *_args, **_options: torch.zeros(len(images), 2, 2))
        with pytest.raises(UserError, match=r"all .* maps are blank"):
            gather_maps(inputs, activations, layer="layer2")
    monkeypatch.setattr(Pictures, "plain", None)
    with pytest.raises(UserError, match="Unknown layer 'layer9'"):
        gather_maps(inputs, activations, layer="layer9")


@pytest.mark.parametrize("groups", [None, ["all"] * 64])
def test_images_in_parts_give_the_same_activations(
    inputs: EvaluationInputs, groups: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    h = inputs.test.h.clone()
    h[::7] = 0  # without evidence
    inputs.test = dataclasses.replace(inputs.test, h=h)
    whole = gather_activations(inputs, groups=groups)
    assert sum(map(len, whole.without_evidence.values())) > 1
    monkeypatch.setattr("qscore.interpretability.naming.gathering.ROWS_AT_ONCE", 5)
    compute, sizes = gathering.discriminative_contributions, []
    monkeypatch.setattr(
        gathering, "discriminative_contributions", lambda h, *rest: (sizes.append(len(h)), compute(h, *rest))[1]
    )
    assert gather_activations(inputs, groups=groups) == whole
    assert max(sizes) == 5
