"""Heat maps and their overlap with masks, for an encoder whose features each look at one quadrant."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from qscore.data import ImageDataModule
from qscore.data.sources import ArrayImages, Splits
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.evaluation.heatmaps import heatmaps
from qscore.evaluation.mask_overlap import mask_overlap, soft_overlap
from qscore.records import Representations
from qscore.report.collect import EvaluatedEncoder
from qscore.report.heatmaps import feature_heatmaps, has_heatmaps
from qscore.score import extract

SIZE, HALF, NUM = 16, 8, 40
NAMES = ("upper left", "upper right", "lower left", "lower right")


class Quadrants(nn.Module):
    """Feature j is the brightness of quadrant j; the fifth is a little of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.ones_(self.convolution.weight)

    def forward(self, images: Tensor) -> Tensor:
        bright = nn.functional.avg_pool2d(self.convolution(images), HALF).flatten(1)
        return torch.cat([bright, 0.02 * bright.mean(1, keepdim=True)], 1)


def corner(label: int) -> tuple[slice, slice]:
    row, column = HALF * (label // 2), HALF * (label % 2)
    return slice(row, row + HALF), slice(column, column + HALF)


def images(seed: int) -> ArrayImages:
    """One bright quadrant each; a few show another one than their label says."""
    generator = np.random.default_rng(seed)
    labels = np.arange(NUM) % 4
    shown = np.where(generator.random(NUM) < 0.2, (labels + 1) % 4, labels)
    pixels = np.zeros((NUM, SIZE, SIZE, 3), np.uint8)
    for i, quadrant in enumerate(shown):
        pixels[i][corner(int(quadrant))] = generator.integers(150, 250)
    return ArrayImages(pixels, torch.from_numpy(labels).long(), NAMES, tuple(f"{i}.jpg" for i in range(NUM)))


@pytest.fixture
def inputs(encoder: Encoder, tmp_path: Path) -> EvaluationInputs:
    encoder.network = Quadrants()
    encoder.mean.zero_()
    train, test = images(0), images(1)
    data = ImageDataModule(Splits(train, train, test), image_size=SIZE, batch_size=16, num_workers=0)

    def representations(split: str) -> Representations:
        source = data.source(split)  # type: ignore[arg-type]
        loader = data.plain_loader(split)  # type: ignore[arg-type]
        return extract(encoder, loader, labels=source.labels, ids=source.ids, class_names=NAMES)

    pictures = Pictures(encoder.eval(), data, tmp_path)
    return EvaluationInputs(
        representations("train"), representations("test"), epsilon=1.2, lower=0, upper=1, pictures=pictures
    )


def test_maps_lie_where_the_feature_of_the_class_looks(inputs: EvaluationInputs) -> None:
    result = heatmaps(inputs)
    maps, features = result.arrays["maps"].astype(float), result.arrays["features"]
    assert maps.shape[1:] == (2, 3, SIZE, SIZE)
    for heat, (strongest, noisy), name in zip(maps, features, result.arrays["labels"], strict=True):
        assert NAMES[strongest] == name
        assert noisy == 4
        inside = np.abs(heat[0, 0][corner(strongest)]).sum()
        assert inside > 0.99 * np.abs(heat[0, 0]).sum() > 0
        assert np.abs(heat[1, 0][corner(strongest)]).sum() < 0.3 * np.abs(heat[1, 0]).sum()
    metrics = result.metrics
    assert metrics["discriminative/mean_right"] > 10 * metrics["discriminative/mean_wrong"]  # type: ignore[operator]


def test_right_and_wrong_samples_are_told_apart(inputs: EvaluationInputs) -> None:
    arrays = heatmaps(inputs, num_samples=3).arrays
    assert {True, False} == set(arrays["correct"].tolist())
    assert ((arrays["labels"] == arrays["predictions"]) == arrays["correct"]).all()


def test_images_are_those_of_the_samples_even_after_an_unreadable_one(inputs: EvaluationInputs) -> None:
    test = inputs.test
    assert test.labels is not None
    shorter = dataclasses.replace(test, h=test.h[1:], labels=test.labels[1:], ids=test.ids[1:])
    found = heatmaps(dataclasses.replace(inputs, test=shorter))
    for image, sample in zip(found.arrays["images"], found.arrays["ids"], strict=True):
        assert inputs.pictures is not None
        expected = inputs.pictures.data.source("test").image(int(sample.removesuffix(".jpg")))
        np.testing.assert_array_equal(image, np.asarray(expected))


def test_classes_are_drawn_by_the_seed_or_named(inputs: EvaluationInputs) -> None:
    assert (
        heatmaps(inputs, num_classes=2).arrays["ids"].tolist() == heatmaps(inputs, num_classes=2).arrays["ids"].tolist()
    )
    assert set(heatmaps(inputs, classes=["lower left"]).arrays["labels"]) == {"lower left"}
    with pytest.raises(UserError, match="lower left"):
        heatmaps(inputs, classes=["lower lift"])
    with pytest.raises(UserError, match="images behind"):
        heatmaps(dataclasses.replace(inputs, pictures=None))


def test_an_empty_d_leaves_a_note(inputs: EvaluationInputs) -> None:
    result = heatmaps(dataclasses.replace(inputs, epsilon=30.0))
    assert not result.arrays
    assert "D is empty" in result.notes[0]


@pytest.mark.parametrize("num_encoders", [1, 4])
def test_every_map_is_drawn(inputs: EvaluationInputs, num_encoders: int, tmp_path: Path) -> None:
    results = {"heatmaps": heatmaps(inputs)}
    encoders = [EvaluatedEncoder(str(i), "encoder", tmp_path, {}, results, []) for i in range(num_encoders)]
    empty = EvaluatedEncoder("empty", "encoder", tmp_path, {}, {}, [])
    assert not has_heatmaps(empty)
    figure = feature_heatmaps([*encoders, empty])
    figure.savefig(tmp_path / "maps.png")
    rows = 8 if num_encoders == 1 else 4 * num_encoders
    assert sum(len(axis.images) > 0 for axis in figure.axes) == rows * 7


def masks(folder: Path, *, inverted: bool = False) -> Path:
    source = images(1)
    for i, name in enumerate(source.ids):
        shown = np.asarray(source.image(i)).max(2) > 0
        for region, inside in (("core", shown), ("spurious", ~shown)):
            file = folder / region / Path(name).with_suffix(".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((255 * (inside != inverted)).astype(np.uint8)).save(file)
    return folder


def test_a_map_on_its_region_has_an_overlap_of_one(inputs: EvaluationInputs, tmp_path: Path) -> None:
    metrics = mask_overlap(inputs, masks=str(masks(tmp_path)), kind="gradient").metrics
    assert metrics["core/all"] == pytest.approx(1)
    assert metrics["spurious/all"] == pytest.approx(0)
    assert metrics["core/wrong"] is not None
    assert metrics["num_samples"] == NUM
    turned = mask_overlap(inputs, masks=str(masks(tmp_path, inverted=True)), kind="gradient").metrics
    assert turned["core/all"] == pytest.approx(0)
    assert turned["spurious/right"] == pytest.approx(1)


def test_overlap_equals_the_loops() -> None:
    heat, region = torch.rand(5, 4), (torch.rand(5, 4) > 0.5).float()
    inside = sum(float(heat[i, j]) for i in range(5) for j in range(4) if region[i, j])
    outside = sum(float(heat[i, j]) for i in range(5) for j in range(4) if not region[i, j])
    assert float(soft_overlap(heat, region)) == pytest.approx(inside / (float(region.sum()) + outside))


def test_missing_masks_are_said(inputs: EvaluationInputs, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mask_overlap\.masks=FOLDER"):
        mask_overlap(inputs)
    with pytest.raises(FileNotFoundError, match="core"):
        mask_overlap(inputs, masks=str(tmp_path))
    for region in ("core", "spurious"):
        (tmp_path / region).mkdir()
    with pytest.raises(FileNotFoundError, match=r"0\.png"):
        mask_overlap(inputs, masks=str(tmp_path))


def test_samples_without_a_mask_are_left_out(inputs: EvaluationInputs, tmp_path: Path) -> None:
    folder = masks(tmp_path)
    for i in range(5):
        (folder / "core" / f"{i}.png").unlink()
    result = mask_overlap(inputs, masks=str(folder), kind="gradient")
    assert np.isnan(result.arrays["core"]).sum() == 5
    assert result.metrics["core/all"] == pytest.approx(1)
