import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from qscore import DiscriminativeFeatures, dominant_features
from qscore.errors import UserError
from qscore.score import discriminative_features
from tests.references import q_score as reference


def representations(kind: str, num_samples: int = 40, num_features: int = 33) -> Tensor:
    generator = torch.Generator().manual_seed(len(kind))
    gaussian = torch.randn(num_samples, num_features, generator=generator)
    return {
        "gaussian": gaussian,
        "relu": gaussian.relu(),
        "sparse": gaussian.relu() * (torch.rand(num_samples, num_features, generator=generator) < 0.1),
        "heavy": gaussian.abs() ** 4,
        "tiny": gaussian.relu() * 1e-30,
        "huge": gaussian.relu() * 1e30,
        "offset": gaussian * 1e-3 + 100,
    }[kind]


KINDS = ("gaussian", "relu", "sparse", "heavy", "tiny", "huge", "offset")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0, 4.0])
def test_dominant_features_equal_the_loops(kind: str, epsilon: float) -> None:
    h = representations(kind)
    found = dominant_features(h, epsilon)
    for row, mask in zip(h.tolist(), found, strict=True):
        assert set(mask.nonzero().flatten().tolist()) == reference.dominant(row, epsilon)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7, 1e-20, 1e20])
@pytest.mark.parametrize("num_features", [1, 2, 17, 500, 512])
def test_constant_vectors_have_no_dominant_feature(value: float, num_features: int) -> None:
    assert not dominant_features(torch.full((2, num_features), value), epsilon=0.0).any()


@given(st.integers(1, 300), st.floats(0.1, 5))
def test_fewer_features_are_dominant_than_chebyshev_allows(num_features: int, epsilon: float) -> None:
    h = torch.randn(8, num_features).exp()
    assert dominant_features(h, epsilon).sum(1).max() < num_features / (1 + epsilon**2)


def test_dominant_features_ignore_scale_and_dtype() -> None:
    h = representations("relu")
    assert torch.equal(dominant_features(h, 2.0), dominant_features(h * 1024, 2.0))
    assert dominant_features(h.bfloat16(), 2.0).dtype == torch.bool
    assert dominant_features(h.half(), 2.0).any()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.floats(0, 0.6), st.floats(0.61, 1))
def test_discriminative_features_equal_the_order_statistics(counts: list[int], lower: float, upper: float) -> None:
    found = discriminative_features(torch.tensor(counts), lower=lower, upper=upper)
    expected = reference.discriminative(counts, lower, upper)
    edge = {j for j in range(len(counts)) if _near_an_edge(counts, j, lower, upper)}
    assert set(found.nonzero().flatten().tolist()) - edge == expected - edge


def _near_an_edge(counts: list[int], j: int, lower: float, upper: float) -> bool:
    active = torch.tensor([float(c) for c in counts if c > 0], dtype=torch.float64)
    return (
        any(math.isclose(counts[j], float(active.quantile(q)), abs_tol=1e-12) for q in (lower, upper))
        if len(active)
        else False
    )


def test_silent_features_never_enter_d() -> None:
    counts = torch.tensor([0] * 90 + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert not discriminative_features(counts)[:90].any()
    assert discriminative_features(counts)[90:].tolist() == [False] * 5 + [True] * 4 + [False]


def test_nothing_is_discriminative_where_nothing_is_dominant() -> None:
    mined = DiscriminativeFeatures(10)
    mined.update(torch.rand(50, 10))  # 10 features cannot exceed 4 standard deviations
    assert mined.counts.sum() == 0
    assert not mined.compute().any()


def test_counts_add_up_over_batches_and_samples() -> None:
    h = representations("heavy", 70)
    whole, parts = DiscriminativeFeatures(33, 2.0), DiscriminativeFeatures(33, 2.0)
    whole.update(h)
    for part in h.split(16):
        parts.update(part)
    assert torch.equal(whole.counts, dominant_features(h, 2.0).sum(0))
    assert torch.equal(whole.counts, parts.counts)
    assert int(parts.num_samples) == 70
    assert torch.equal(whole.compute(), parts.compute())
    assert not whole.compute().all()


def test_counts_start_again_after_reset() -> None:
    mined = DiscriminativeFeatures(33, 2.0)
    mined.update(representations("heavy"))
    mined.reset()
    assert mined.counts.sum() == 0


@pytest.mark.parametrize("options", [{"lower": 0.9, "upper": 0.5}, {"lower": -0.1}, {"upper": 1.1}])
def test_percentiles_out_of_order_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(UserError, match="lower"):
        DiscriminativeFeatures(10, **options)


def test_another_number_of_features_is_refused_with_both_numbers() -> None:
    with pytest.raises(UserError, match=r"10 features, got 11"):
        DiscriminativeFeatures(10).update(torch.rand(3, 11))
    with pytest.raises(UserError, match="at least 1"):
        DiscriminativeFeatures(0)
