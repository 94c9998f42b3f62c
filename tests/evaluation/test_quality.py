"""Label-free quality against slow references, and on representations whose quality is known."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from qscore.evaluation import EvaluationInputs
from qscore.evaluation.quality import (
    alignment,
    alpha_req,
    covariance_spectrum,
    dead_features,
    lidar,
    participation_ratio,
    quality,
    uniformity,
)
from tests.evaluation.drowned import planted


def cloud(num: int, width: int, *, seed: int = 0) -> Tensor:
    return torch.randn(num, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_spectrum_is_that_of_numpys_covariance() -> None:
    h = cloud(50, 7) * torch.arange(1.0, 8.0)
    expected = np.linalg.eigvalsh(np.cov(h.numpy(), rowvar=False, bias=True))[::-1]
    np.testing.assert_allclose(covariance_spectrum(h), expected)


def test_participation_ratio_is_that_of_the_trace() -> None:
    h = cloud(40, 6) * torch.tensor([5.0, 1.0, 1.0, 1.0, 0.1, 0.1])
    covariance = np.cov(h.numpy(), rowvar=False, bias=True)
    expected = np.trace(covariance) ** 2 / np.trace(covariance @ covariance)
    assert float(participation_ratio(covariance_spectrum(h))) == pytest.approx(expected)
    assert float(participation_ratio(torch.zeros(5))) == 0


def test_alpha_is_the_weighted_line_through_ranks_4_to_100() -> None:
    spectrum = torch.sort(torch.rand(150, generator=torch.Generator().manual_seed(0)).double(), descending=True).values
    i = np.arange(4, 101)
    slope = np.polyfit(np.log(i), np.log(spectrum[3:100].numpy()), 1, w=np.sqrt(1 / i))[0]
    assert float(alpha_req(spectrum)) == pytest.approx(-slope)  # type: ignore[arg-type]
    assert alpha_req(torch.tensor([1.0, 0.5, 0.0, 0.0, 0.0, 0.0])) is None


def slow_lidar(views: np.ndarray, delta: float) -> float:
    num_views, num_images, width = views.shape
    means = views.mean(0)
    grand = means.mean(0)
    between = sum(np.outer(m - grand, m - grand) for m in means) / (num_images - 1)
    within = np.zeros((width, width))
    for i in range(num_images):
        for v in range(num_views):
            within += np.outer(views[v, i] - means[i], views[v, i] - means[i])
    within /= num_images * (num_views - 1)
    within += delta * np.trace(within) / width * np.eye(width)
    values = np.linalg.eigvals(np.linalg.inv(within) @ between).real  # similar to the symmetric form
    p = np.maximum(values, 0) / np.maximum(values, 0).sum() + 1e-7
    return math.exp(-(p * np.log(p)).sum())


def test_lidar_equals_the_loops() -> None:
    images, noise = cloud(30, 5) * torch.tensor([3.0, 2.0, 1.0, 0.5, 0.1]), cloud(30 * 4, 5, seed=1).view(4, 30, 5)
    views = images + 0.3 * noise
    assert float(lidar(views)) == pytest.approx(slow_lidar(views.numpy(), 1e-4), rel=1e-5)
    assert float(lidar(1e3 * views)) == pytest.approx(float(lidar(views)))


def test_lidar_counts_only_what_tells_images_apart() -> None:
    """Six directions of variance, of which two are the same for all views of an image."""
    images, noise = cloud(200, 6), cloud(200 * 6, 6, seed=1).view(6, 200, 6)
    images[:, 2:] = 0
    noise[:, :, :2] *= 0.01
    assert float(lidar(images + noise)) < 2.5


def test_alignment_and_uniformity_equal_the_loops() -> None:
    views = cloud(3 * 8, 4).view(3, 8, 4)
    unit = [[v / v.norm() for v in view] for view in views]
    pairs = [float((unit[a][i] - unit[b][i]).square().sum()) for a in range(3) for b in range(a) for i in range(8)]
    assert float(alignment(views)) == pytest.approx(np.mean(pairs))
    apart = [math.exp(-2 * float((unit[0][i] - unit[0][j]).square().sum())) for i in range(8) for j in range(i)]
    assert float(uniformity(views[0])) == pytest.approx(math.log(np.mean(apart)))


def test_dead_features_are_those_that_never_move() -> None:
    h = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 3.0]])
    assert dead_features(h).tolist() == [True, True, False]


def test_quality_falls_when_the_encoder_collapses() -> None:
    whole, test = planted(400)[0], planted(200, seed=1)[0]
    good = quality(EvaluationInputs(whole, test, epsilon=2.0)).metrics
    direction = torch.rand(test.h.shape[1], generator=torch.Generator().manual_seed(0))
    flat = [
        type(r)(r.h.norm(dim=1, keepdim=True) * direction, r.labels, r.ids, r.class_names, "") for r in (whole, test)
    ]
    bad = quality(EvaluationInputs(*flat, epsilon=0.5)).metrics
    for name in ("rank_me", "participation_ratio", "feature_std"):
        assert bad[name] < 0.1 * good[name]
    assert bad["uniformity"] == pytest.approx(0, abs=1e-4)
    assert quality(EvaluationInputs(whole, test, epsilon=2.0)).notes
