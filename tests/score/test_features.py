import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from qscore import DiscriminativeFeatures, dominant_features
from qscore.errors import UserError
from qscore.score import chunks, discriminative_features, dominance_counts, q_score
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


def rows_at_the_threshold(num_features: int) -> Tensor:
    """Rows whose largest feature is the number of its precision just below, at and above the threshold, if there is."""
    h = torch.randn(60, num_features, generator=torch.Generator().manual_seed(num_features)).exp()
    for row in h:
        for _ in range(200):  # the threshold moves with the feature
            above = row.double().mean() + 2.0 * row.double().std(correction=0)
            row[0] = above.float()
    return torch.cat([h, h.nextafter(torch.tensor(torch.inf)), h.nextafter(torch.tensor(-torch.inf))])


@pytest.mark.parametrize("epsilon", [0.0, 1.0, 2.0, 4.0, -1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_counts_equal_the_two_pass_comparison(epsilon: float, dtype: torch.dtype) -> None:
    spread = 10.0 ** torch.arange(-12, 1)[:, None, None]
    offsets = (1 + spread * torch.randn(13, 40, 33, generator=torch.Generator().manual_seed(0))).flatten(0, 1)
    levels = torch.randint(0, 2, (500, 33), generator=torch.Generator().manual_seed(1)).float() * 3
    constant = torch.tensor([0.0, 0.1, -3.7, 1e-30, 1e30]).repeat_interleave(9)[:, None].expand(-1, 33)
    odd = torch.tensor([[torch.nan] + [0.0] * 32, [torch.inf] + [1.0] * 32, [-torch.inf] + [1.0] * 32])
    parts = [representations(kind, 300) for kind in KINDS] + [offsets, levels, constant, odd, rows_at_the_threshold(33)]
    for part in parts:
        h = part.to(dtype)
        assert torch.equal(dominance_counts(h, epsilon), dominant_features(h, epsilon).sum(0))


@pytest.mark.parametrize("num_features", [1, 2, 511, 1000, 200_000])
def test_counts_of_any_width_equal_the_sum(num_features: int) -> None:
    h = torch.randn(7, num_features, generator=torch.Generator().manual_seed(0)).relu()
    assert torch.equal(dominance_counts(h, 1.0), dominant_features(h, 1.0).sum(0))
    assert dominance_counts(h[:0], 1.0).sum() == 0


def test_many_rows_are_not_lost_in_a_byte() -> None:
    h = torch.tensor([[1.0, 0.0, 0.0]]).expand(1000, -1)
    assert dominance_counts(h, 1.0).tolist() == [1000, 0, 0]


@pytest.mark.parametrize("formula", ["ratio", "centered", "soft"])
def test_parts_give_the_scores_and_the_gradient_of_the_whole(formula: str, monkeypatch: pytest.MonkeyPatch) -> None:
    h, d = representations("heavy", 50).requires_grad_(), torch.rand(33) < 0.7
    whole = q_score(h, d, 1.5, formula=formula)
    (gradient,) = torch.autograd.grad(whole.sum(), h)
    monkeypatch.setattr(chunks, "NUMBERS", 33 * 7)
    parts = q_score(h, d, 1.5, formula=formula)
    torch.testing.assert_close(parts, whole)
    torch.testing.assert_close(torch.autograd.grad(parts.sum(), h)[0], gradient)


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
