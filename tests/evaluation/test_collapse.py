"""RankMe and the standard deviation of features against their definitions, their bounds and their edge cases."""

import math

import numpy as np
import pytest
import torch

from qscore.evaluation.collapse import feature_std, rank_me


def made(num_samples: int, num_features: int, *, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num_samples, num_features, generator=generator).relu()


@pytest.mark.parametrize(("num_samples", "num_features"), [(40, 7), (5, 12), (6, 6)])
def test_rank_me_equals_the_papers_formula(num_samples: int, num_features: int) -> None:
    h = made(num_samples, num_features)
    eigenvalues = np.linalg.eigvalsh(h.double().numpy().T @ h.double().numpy())[::-1][: min(num_samples, num_features)]
    sigma = [math.sqrt(max(value, 0.0)) for value in eigenvalues]
    entropy = 0.0
    for value in sigma:
        p = value / sum(sigma) + 1e-7
        entropy -= p * math.log(p)
    assert float(rank_me(h)) == pytest.approx(math.exp(entropy), rel=1e-5)
    assert 1 <= float(rank_me(h)) <= min(num_samples, num_features)


def test_feature_std_equals_the_loops() -> None:
    h = made(30, 8)
    columns = []
    for j in range(8):
        values = [float(row[j]) / math.sqrt(sum(float(x) ** 2 for x in row)) for row in h]
        mean = sum(values) / len(values)
        columns.append(math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)))
    assert float(feature_std(h)) == pytest.approx(sum(columns) / len(columns), rel=1e-5)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_both_ignore_scale(scale: float) -> None:
    h = made(30, 8)
    assert float(rank_me(scale * h)) == pytest.approx(float(rank_me(h)), rel=1e-5)
    assert float(feature_std(scale * h)) == pytest.approx(float(feature_std(h)), rel=1e-5)


@pytest.mark.parametrize("h", [torch.rand(1, 6), torch.ones(20, 6), torch.zeros(20, 6), torch.rand(1, 6).expand(9, -1)])
def test_single_constant_and_silent_representations_are_collapsed(h: torch.Tensor) -> None:
    assert float(rank_me(h)) == pytest.approx(1, abs=1e-4)
    assert float(feature_std(h)) == pytest.approx(0, abs=1e-6)


def test_even_representations_reach_the_upper_bounds() -> None:
    q = torch.linalg.qr(torch.randn(50, 9))[0]
    assert float(rank_me(q)) == pytest.approx(9, rel=1e-4)
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert float(feature_std(signs)) == pytest.approx(1 / math.sqrt(2))


def test_a_collapsing_encoder_lowers_both() -> None:
    h = made(60, 10)
    halfway = 0.05 * h + 1
    assert rank_me(halfway) < 0.5 * rank_me(h)
    assert feature_std(halfway) < 0.5 * feature_std(h)
