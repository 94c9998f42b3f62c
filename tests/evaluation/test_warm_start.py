"""The fixed subset, its measurement, and the margins."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from qscore.data import ImageDataModule, Splits
from qscore.data.sources import ArrayImages
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.evaluation.collapse import feature_std, rank_me
from qscore.evaluation.knn import knn
from qscore.evaluation.margins import Margins, auto_knn_margin, best_measurement, broken_margins
from qscore.evaluation.warm_start import Measurement, fixed_subset, measure
from qscore.records import Representations
from qscore.score import extract


def test_the_subset_is_stratified_and_the_same_every_time() -> None:
    labels = torch.arange(1000) % 10
    subset = fixed_subset(labels, 200, of=1000, seed=0)
    assert (np.bincount(labels[subset.positions]) == 20).all()
    assert (np.bincount(labels[subset.queries]) == 10).all()
    assert len(np.unique(subset.positions)) == 200
    assert set(subset.queries) <= set(subset.positions)
    again, other = fixed_subset(labels, 200, of=1000, seed=0), fixed_subset(labels, 200, of=1000, seed=1)
    assert (again.positions == subset.positions).all()
    assert (again.queries == subset.queries).all()
    assert not np.array_equal(other.positions, subset.positions)


@pytest.mark.parametrize("num_images", range(2, 100, 7))
def test_as_many_images_as_asked_for_or_all(num_images: int) -> None:
    assert len(fixed_subset(None, num_images, of=60, seed=0).positions) == min(num_images, 60)


def test_a_measurement_is_that_of_the_projects_own_functions(data: ImageDataModule, encoder: Encoder) -> None:
    subset = fixed_subset(data.source("train").labels, 100, of=128, seed=0)
    found = measure(encoder, data, subset, epoch=3, step=12)
    everything = extract(encoder, data.plain_loader("train"), labels=data.source("train").labels)
    assert everything.labels is not None
    bank = np.setdiff1d(subset.positions, subset.queries)
    parts = [Representations(everything.h[i], everything.labels[i], (), (), "") for i in (bank, subset.queries)]
    assert (found.epoch, found.step) == (3, 12)
    assert found.knn_top1 == knn(EvaluationInputs(*parts), ks=(20,)).metrics["k20"]
    assert found.rank_me == pytest.approx(float(rank_me(everything.h[subset.positions])), rel=1e-4)
    assert found.feature_std == pytest.approx(float(feature_std(everything.h[subset.positions])), rel=1e-4)


@pytest.mark.parametrize("labels", [None, torch.zeros(128, dtype=torch.long)])
def test_without_two_classes_there_is_no_knn(
    labels: torch.Tensor | None, few_digits: Splits, encoder: Encoder, unlabelled: Callable[..., ImageDataModule]
) -> None:
    data = unlabelled(few_digits, labels)
    found = measure(encoder, data, fixed_subset(labels, 100, of=128, seed=0))
    assert found.knn_top1 is None
    assert found.ranked_by == "rank_me"
    assert list(found.metrics) == ["rank_me", "feature_std"]


@pytest.fixture
def unlabelled() -> Callable[..., ImageDataModule]:
    def make(splits: Splits, labels: torch.Tensor | None) -> ImageDataModule:
        assert isinstance(splits.train, ArrayImages)
        images = ArrayImages(splits.train.images, labels, (), splits.train.ids)
        return ImageDataModule(Splits(images, images, images), image_size=28, batch_size=32, num_workers=0)

    return make


def test_an_encoder_that_is_not_finite_is_said_to_be_lost(data: ImageDataModule, encoder: Encoder) -> None:
    encoder.network.conv1.weight.data.fill_(float("nan"))
    with pytest.raises(UserError, match=r"after epoch 2: the encoder is lost.*learning rate.*best/"):
        measure(encoder, data, fixed_subset(None, 100, of=128, seed=0), epoch=2)


def curve(*values: tuple[float | None, float, float]) -> list[Measurement]:
    return [Measurement(epoch, 5 * epoch, *value) for epoch, value in enumerate(values)]


def test_margins_are_absolute_for_accuracy_and_relative_for_the_others() -> None:
    measured = curve((0.9, 40.0, 0.06), (0.88, 21.0, 0.031), (0.84, 19.0, 0.031), (0.7, 19.0, 0.02))
    floors = Margins(0.05, 0.5, 0.5).floors(measured[0], num_queries=1000)
    assert floors == pytest.approx({"knn_top1": 0.85, "rank_me": 20.0, "feature_std": 0.03})
    assert broken_margins(measured, floors) == {"knn_top1": 2, "rank_me": 2, "feature_std": 3}
    assert broken_margins(measured[:2], floors) == {}


def test_fewer_queries_allow_more() -> None:
    assert auto_knn_margin(64) == pytest.approx(3 * (0.1 / 64) ** 0.5, abs=1e-6)
    assert auto_knn_margin(64) > auto_knn_margin(1000) == 0.03
    assert Margins().floors(curve((0.9, 1.0, 0.1))[0], 64)["knn_top1"] == pytest.approx(0.9 - auto_knn_margin(64))


def test_the_best_state_has_the_highest_accuracy_or_rank() -> None:
    assert best_measurement(curve((0.8, 9.0, 0.1), (0.9, 5.0, 0.1), (0.9, 8.0, 0.1))).epoch == 1
    assert best_measurement(curve((None, 7.0, 0.1), (None, 9.0, 0.05), (None, 5.0, 0.2))).epoch == 1


@pytest.mark.parametrize("margins", [(-0.1, 0.5, 0.5), (0.1, 1.5, 0.5), ("large", 0.5, 0.5), (0.1, 0.5, -0.2)])
def test_nonsense_margins_are_refused(margins: tuple[float | str, float, float]) -> None:
    with pytest.raises(UserError, match="margins of the guard from 0 to 1"):
        Margins(*margins)
