import pytest
import torch

from qscore import QScorePenalty, q_score
from qscore.errors import UserError
from qscore.regularizer.penalty import loud_columns

D = torch.arange(24) % 2 == 0


def spiky(num: int = 12) -> torch.Tensor:
    return (torch.rand(num, 24) ** 8 + 0.01).requires_grad_()


@pytest.mark.parametrize("formula", ["ratio", "centered"])
def test_gradient_is_that_of_equation_4(formula: str) -> None:
    h = spiky()
    q = q_score(h, D, 1.5, formula=formula)
    threshold = float(q.detach().median())
    printed = -(0.3 * (q.detach() < threshold) * q).mean()
    expected = torch.autograd.grad(printed, h)[0]
    penalty = QScorePenalty(D, weight=0.3, epsilon=1.5, threshold=threshold, formula=formula, column_weight=0.0)
    found = torch.autograd.grad(penalty(h), h)[0]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)
    assert expected.any()


def test_a_step_along_the_gradient_raises_q_below_the_threshold_alone() -> None:
    h = spiky()
    q = q_score(h, D, 1.5).detach()
    threshold = float(q.median())
    QScorePenalty(D, weight=1.0, epsilon=1.5, threshold=threshold)(h).backward()
    assert h.grad is not None
    moved = q_score(h.detach() - 1e-3 * h.grad, D, 1.5)
    reachable = (q < threshold) & (q > 0)
    assert reachable.any()
    assert (moved > q)[reachable].all()
    assert not h.grad[q >= threshold].any()


def test_term_is_continuous_where_a_sample_crosses_the_threshold() -> None:
    h = torch.full((1, 24), 0.1)
    h[0, 4] = 1.0
    q = float(q_score(h, D, 1.0))
    assert q > 0
    below, above = (QScorePenalty(D, weight=1.0, epsilon=1.0, threshold=q + step)(h) for step in (1e-6, -1e-6))
    assert float(below) == pytest.approx(float(above), abs=1e-5)


def test_weight_zero_gives_no_gradient_but_all_statistics() -> None:
    h = spiky()
    penalty = QScorePenalty(D, weight=0.0, epsilon=1.5, threshold=0.5)
    value = penalty(h)
    assert not value.requires_grad
    assert value.item() == 0
    assert penalty.statistics is not None
    assert float(penalty.statistics.share_below) == 1.0
    assert float(penalty.statistics.term) == pytest.approx(float((q_score(h.detach(), D, 1.5) - 0.5).mean()))


def test_statistics_count_empty_sets() -> None:
    h = torch.ones(4, 24)
    h[0, 0] = 50.0
    h[1, 1] = 50.0  # dominant, but not in D
    penalty = QScorePenalty(D, epsilon=2.0, threshold=1.0)
    penalty(h)
    assert penalty.statistics is not None
    assert float(penalty.statistics.share_empty) == 0.75


def test_batch_mean_follows_the_batch() -> None:
    h = spiky()
    q = q_score(h, D, 1.5).detach()
    penalty = QScorePenalty(D, weight=1.0, epsilon=1.5, threshold="batch_mean")
    expected = torch.relu(q.mean() - q).mean()
    assert penalty(h).item() == pytest.approx(float(expected), rel=1e-5)


def test_column_term_is_off_for_ratio_and_on_for_centered() -> None:
    assert QScorePenalty(D, formula="ratio").column_weight == 0.0
    assert QScorePenalty(D, formula="centered").column_weight == 1e-4
    assert QScorePenalty(D, formula="centered", weight=0.0).column_weight == 0.0
    h = spiky().detach()
    plain = QScorePenalty(D, weight=0.1, epsilon=1.5, threshold=0.5)(h)
    both = QScorePenalty(D, weight=0.1, epsilon=1.5, threshold=0.5, column_weight=2.0)(h)
    assert float(both - plain) == pytest.approx(2 * float(loud_columns(h)), rel=1e-5)


def test_loud_columns_equal_the_loops() -> None:
    h = torch.randn(7, 9)
    norms = [sum(abs(float(row[k])) / float(row.norm()) for row in h) for k in range(9)]
    beta = sum(norms) / len(norms)
    assert float(loud_columns(h)) == pytest.approx(sum(n for n in norms if n > beta), rel=1e-5)


def test_a_module_with_the_penalty_has_the_same_state_dict() -> None:
    assert QScorePenalty(D).state_dict() == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"weight": -1.0}, "at least 0"), ({"threshold": "median"}, "Unknown threshold"), ({"column_weight": -1.0}, "0")],
)
def test_nonsense_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        QScorePenalty(D, **options)
