"""Rival scores against loops, and against what their names promise."""

import math

import numpy as np
import pytest
import torch
from scipy.special import entr, logsumexp, softmax
from torch import Tensor

from qscore.score import neighbours, rivals
from tests.references import rivals as reference

NUM_SAMPLES, NUM_MEMBERS, NUM_FEATURES = 12, 60, 9


@pytest.fixture
def h() -> Tensor:
    return torch.randn(NUM_SAMPLES, NUM_FEATURES, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.3


@pytest.fixture
def bank() -> Tensor:
    return torch.randn(NUM_MEMBERS, NUM_FEATURES, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def each(function: object, h: Tensor) -> list[float]:
    assert callable(function)
    return [function(row) for row in h.tolist()]


@pytest.mark.parametrize("name", ["gini", "hoyer", "first_version"])
def test_scores_of_a_sample_alone_equal_the_loops(name: str, h: Tensor) -> None:
    assert getattr(rivals, name)(h).tolist() == pytest.approx(each(getattr(reference, name), h))


def test_norms_and_peak(h: Tensor) -> None:
    assert rivals.l1_norm(h).tolist() == pytest.approx([sum(map(abs, row)) for row in h.tolist()])
    assert rivals.l2_norm(h).tolist() == pytest.approx([math.hypot(*row) for row in h.tolist()])
    assert rivals.max_feature(h).tolist() == [max(row) for row in h.tolist()]


def test_scores_against_the_training_images_equal_the_loops(h: Tensor, bank: Tensor) -> None:
    members = bank.tolist()
    similarity, index = neighbours(h, bank, 20)
    distances = 1 - similarity
    for k in (1, 7, 20):
        expected = each(lambda row: reference.distances(row, members)[k - 1], h)  # noqa: B023
        assert rivals.knn_distance(distances, k).tolist() == pytest.approx(expected)
    assert rivals.local_intrinsic_dimension(distances).tolist() == pytest.approx(
        each(lambda row: reference.lid(row, members, 20), h)
    )
    assert rivals.feature_zscore(h, bank).tolist() == pytest.approx(
        each(lambda row: reference.feature_zscore(row, members), h)
    )
    nearest = [max(range(NUM_MEMBERS), key=lambda i: reference.cosine(row, members[i])) for row in h.tolist()]
    assert index[:, 0].tolist() == nearest


def test_prototypes_are_centres_of_clusters() -> None:
    generator = torch.Generator().manual_seed(0)
    directions = torch.eye(4, dtype=torch.float64)
    clouds = torch.cat([d + 0.05 * torch.randn(30, 4, generator=generator, dtype=torch.float64) for d in directions])
    centres = rivals.prototypes(clouds, 4, seed=3)
    assert (centres @ directions.T).amax(0).min() > 0.99
    between, inside = torch.tensor([[1.0, 1.0, 0.0, 0.0]]).double(), torch.tensor([[5.0, 0.0, 0.0, 0.0]]).double()
    assert rivals.prototype_entropy(between, centres) > rivals.prototype_entropy(inside, centres)
    assert rivals.prototype_margin(between, centres) < rivals.prototype_margin(inside, centres)
    expected = each(lambda row: reference.entropy(row, centres.tolist(), 0.1), clouds[:5])
    assert rivals.prototype_entropy(clouds[:5], centres).tolist() == pytest.approx(expected)


def test_first_version_follows_the_closed_form(h: Tensor) -> None:
    """For h >= 0 it is z_max sqrt(1 + cv²) / sqrt(r), with cv the deviation over the mean."""
    h = h.abs()
    mean, deviation = h.mean(1), h.std(1, correction=0)
    expected = (h.amax(1) - mean) / deviation * (1 + (deviation / mean) ** 2).sqrt() / math.sqrt(NUM_FEATURES)
    torch.testing.assert_close(rivals.first_version(h), expected)


def test_ceilings_equal_scipy() -> None:
    logits = np.random.default_rng(0).normal(size=(8, 5)) * 4
    p = softmax(logits, axis=1)
    ordered = np.sort(p, axis=1)
    t = torch.from_numpy(logits)
    np.testing.assert_allclose(rivals.max_softmax(t), p.max(1))
    np.testing.assert_allclose(rivals.softmax_margin(t), ordered[:, -1] - ordered[:, -2])
    np.testing.assert_allclose(rivals.softmax_entropy(t), entr(p).sum(1), rtol=1e-6)
    np.testing.assert_allclose(rivals.energy(t), -logsumexp(logits, axis=1))


@pytest.mark.parametrize("name", ["l1_norm", "l2_norm", "max_feature", "hoyer", "gini", "first_version"])
def test_an_empty_sample_is_a_number(name: str) -> None:
    assert torch.isfinite(getattr(rivals, name)(torch.zeros(2, 5))).all()


def test_a_twin_in_the_bank_is_a_number() -> None:
    h = torch.eye(4)
    distances = (1 - neighbours(h, h.repeat(30, 1), 20)[0]).clamp_min(0)
    assert torch.isfinite(rivals.local_intrinsic_dimension(distances)).all()
    assert not rivals.feature_zscore(h, torch.ones(5, 4)).any()
    half = torch.tensor([[1.0, 5.0], [1.0, 7.0]])
    assert rivals.feature_zscore(torch.tensor([[9.0, 5.0]]), half).item() == -1  # the constant one is left out
