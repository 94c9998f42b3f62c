import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from qscore import QScore, q_score
from qscore.errors import UserError
from qscore.score import DiscriminativeFeatures, dominant_features, empty_share, largest_epsilon, soft_score
from tests.references import q_score as reference
from tests.score.test_features import KINDS, representations

FORMULAS = ("ratio", "centered", "soft")


def some(num_features: int) -> Tensor:
    return torch.arange(num_features) % 3 != 0


def loops(h: Tensor, discriminative: Tensor, epsilon: float, formula: str) -> list[float]:
    chosen = set(discriminative.nonzero().flatten().tolist())
    return [reference.FORMULAS[formula](row, chosen, epsilon) for row in h.double().tolist()]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0, 4.0])
def test_q_score_equals_the_loops(kind: str, formula: str, epsilon: float) -> None:
    h = representations(kind)
    found = q_score(h, some(33), epsilon, formula=formula)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), loops(h, some(33), epsilon, formula), rtol=1e-6, atol=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 40)), elements=st.floats(-100, 100, width=32)),
    st.floats(0, 4),
    st.sampled_from(FORMULAS),
)
def test_q_score_equals_the_loops_on_anything(h: np.ndarray, epsilon: float, formula: str) -> None:
    tensor, discriminative = torch.from_numpy(h), some(h.shape[1])
    found = q_score(tensor, discriminative, epsilon, formula=formula).numpy()
    assert np.isfinite(found).all()
    for value, row in zip(found, tensor.double().tolist(), strict=True):
        if _decided_by_rounding(row, epsilon):
            continue
        chosen = set(discriminative.nonzero().flatten().tolist())
        assert value == pytest.approx(reference.FORMULAS[formula](row, chosen, epsilon), rel=1e-6, abs=1e-6)


def _decided_by_rounding(row: list[float], epsilon: float) -> bool:
    """Whether a feature lies on the threshold to the last digits, where two right answers may differ."""
    mu = math.fsum(row) / len(row)
    sigma = math.sqrt(math.fsum((x - mu) ** 2 for x in row) / len(row))
    scale = max(map(abs, row), default=0.0) or 1.0
    return any(abs(x - mu - epsilon * sigma) < 1e-12 * scale for x in row)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize(
    "row",
    [
        [0.0] * 20,
        [3.5] * 20,
        [-2.0] * 20,
        [1.0] + [0.0] * 19,
        [-1.0] + [0.0] * 19,
        [6e4] + [0.0] * 19,
        [6e-5] + [0.0] * 19,
        [7.0],
    ],
)
def test_degenerate_rows_give_finite_scores_and_gradients(row: list[float], dtype: torch.dtype, formula: str) -> None:
    h = torch.tensor([row], dtype=dtype, requires_grad=True)
    q = q_score(h, torch.ones(len(row), dtype=torch.bool), 1.0, formula=formula)
    q.sum().backward()
    assert torch.isfinite(q).all()
    assert h.grad is not None
    assert torch.isfinite(h.grad).all()


@pytest.mark.parametrize("formula", ["ratio", "centered"])
def test_an_empty_set_scores_zero_without_gradient(formula: str) -> None:
    h = torch.rand(4, 10, requires_grad=True)
    q = q_score(h, torch.ones(10, dtype=torch.bool), 4.0, formula=formula)
    q.sum().backward()
    assert q.tolist() == [0.0] * 4
    assert h.grad is not None
    assert not h.grad.any()


def test_the_soft_form_scores_and_moves_samples_with_an_empty_set() -> None:
    h = torch.rand(4, 10, requires_grad=True)
    discriminative = some(10)
    assert not (dominant_features(h, 4.0) & discriminative).any()
    soft_score(h, discriminative, 4.0).sum().backward()
    assert (soft_score(h, discriminative, 4.0) != 0).all()
    assert h.grad is not None
    assert h.grad.any(1).all()
    assert not soft_score(h, torch.zeros(10, dtype=torch.bool)).any()


def test_the_soft_form_becomes_the_centered_one_as_it_sharpens() -> None:
    h = representations("heavy")
    defined = (dominant_features(h, 1.0) & some(33)).any(1)
    z = (h - h.mean(1, keepdim=True)) / h.std(1, correction=0, keepdim=True)
    clear = defined & ((z - 1.0).abs().amin(1) > 1e-3)
    assert clear.sum() > 5
    sharp = soft_score(h, some(33), 1.0, sharpness=1e5)
    torch.testing.assert_close(sharp[clear], q_score(h, some(33), 1.0, formula="centered")[clear])


def test_the_gradient_of_the_soft_form_equals_finite_differences() -> None:
    h = (torch.rand(6, 30, dtype=torch.float64) ** 6 + 0.01).requires_grad_()

    def slow(x: Tensor) -> Tensor:
        z = (x - x.mean(1, keepdim=True)) / x.std(1, correction=0, keepdim=True)
        weights = torch.sigmoid(z[:, some(30)] - 1.0)
        centred = x - x.mean(1, keepdim=True)
        return (weights * centred[:, some(30)]).sum(1) / weights.sum(1) / x.norm(dim=1)

    assert torch.autograd.gradcheck(slow, (h,))
    expected = torch.autograd.grad(slow(h).sum(), h)[0]
    found = torch.autograd.grad(q_score(h, some(30), 1.0, formula="soft").sum(), h)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("formula", ["ratio", "centered"])
def test_gradient_equals_finite_differences(formula: str) -> None:
    h = (torch.rand(6, 30, dtype=torch.float64) ** 6 + 0.01).requires_grad_()

    def slow(x: Tensor) -> Tensor:
        """The formulas in float64 over fixed sets; `q_score` itself computes in float32."""
        sets = [reference.dominant(row, 1.0) for row in h.tolist()]
        rows = []
        for row, chosen in zip(x, sets, strict=True):
            common = sorted(j for j in chosen if j % 3 != 0)
            if not common:
                rows.append(row.sum() * 0)
            elif formula == "ratio":
                rows.append(row[common].mean() / row.abs().sum())
            else:
                rows.append((row[common] - row.mean()).mean() / row.norm())
        return torch.stack(rows)

    assert torch.autograd.gradcheck(slow, (h,))
    expected = torch.autograd.grad(slow(h).sum(), h)[0]
    found = torch.autograd.grad(q_score(h, some(30), 1.0, formula=formula).sum(), h)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)

    step = 1e-3
    single = h.detach().float()
    for i, j in [(0, 1), (2, 5), (5, 29)]:
        moved = single.repeat(2, 1, 1)
        moved[0, i, j] += step
        moved[1, i, j] -= step
        up, down = (q_score(m, some(30), 1.0, formula=formula)[i] for m in moved)
        assert float((up - down) / (2 * step)) == pytest.approx(float(found[i, j]), abs=2e-3)


@pytest.mark.parametrize("formula", FORMULAS)
def test_q_score_ignores_scale(formula: str) -> None:
    h = representations("heavy")
    for factor in (1e-20, 0.5, 1e20):
        torch.testing.assert_close(
            q_score(h * factor, some(33), 2.0, formula=formula), q_score(h, some(33), 2.0, formula=formula)
        )


def test_ratio_is_bounded_by_the_number_of_spikes() -> None:
    """Q <= 1/k for k spikes (science of the score: two attributes score half of one)."""
    for k in (1, 2, 5):
        h = torch.zeros(1, 400)
        h[0, :k] = 1.0
        assert float(q_score(h, torch.ones(400, dtype=torch.bool), 4.0)) == pytest.approx(1 / k)


def test_unknown_formula_and_foreign_features_are_refused() -> None:
    with pytest.raises(UserError, match="Did you mean 'ratio'"):
        q_score(torch.rand(2, 5), torch.ones(5, dtype=torch.bool), formula="ration")
    with pytest.raises(UserError, match="over 5 features, got one over 6"):
        q_score(torch.rand(2, 5), torch.ones(6, dtype=torch.bool))


def test_metric_is_the_mean_over_batches() -> None:
    h = representations("heavy")
    metric = QScore(some(33), 2.0)
    for part in h.split(7):
        metric.update(part)
    assert float(metric.compute()) == pytest.approx(float(q_score(h, some(33), 2.0).mean()), rel=1e-6)


@pytest.mark.parametrize("kind", ["gaussian", "relu", "heavy"])
def test_largest_epsilon_is_the_largest(kind: str) -> None:
    h = representations(kind, 400, 64)
    chosen = largest_epsilon(h, max_empty=0.05)
    assert chosen is not None

    def share_at(epsilon: float) -> float:
        mined = DiscriminativeFeatures(64, epsilon)
        mined.update(h)
        return empty_share(h, mined.compute(), epsilon)

    assert share_at(chosen) <= 0.05
    larger = [tenths / 10 for tenths in range(round(10 * chosen) + 1, 80)]
    assert all(share_at(epsilon) > 0.05 for epsilon in larger)


def test_no_epsilon_serves_a_collapsed_encoder() -> None:
    assert largest_epsilon(torch.ones(50, 16)) is None
