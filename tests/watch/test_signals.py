"""The statistics of a batch beside slow ones, and the rule that tells an abnormal number from a normal one."""

import math

import pytest
import torch

from qscore.evaluation.collapse import rank_me
from qscore.watch import Limits
from qscore.watch.causes import Settings, causes
from qscore.watch.finite import LossRecord, not_finite
from qscore.watch.judge import EMPTY, Judge
from qscore.watch.signals import Window, batch_rank, spread


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (20, 20)])
def test_the_rank_of_a_batch_is_rank_me(shape: tuple[int, int]) -> None:
    h = torch.randn(shape) @ torch.diag(torch.logspace(0, -3, shape[1]))
    assert batch_rank(h) == pytest.approx(float(rank_me(h)), rel=1e-4)


def test_spread_tells_how_far_apart_samples_point() -> None:
    """With unit vectors of pairwise cosine c, sum over features of the variance is 1 - c, whatever their number."""
    for num_features in (8, 512):
        base = torch.ones(num_features)
        signs = torch.randint(0, 2, (4000, num_features)) * 2.0 - 1
        for share in (0.0, 0.01, 0.5):
            h = base + share * signs
            cosine = 1 / (1 + share**2)
            assert spread(h) == pytest.approx(math.sqrt(1 - cosine), rel=0.1, abs=1e-4)
        assert spread(7 * h) == pytest.approx(spread(h), rel=1e-5)


def test_a_feature_is_dead_while_no_sample_of_the_window_moves_it() -> None:
    window = Window(2)
    window.add(torch.tensor([[0.0, 1.0, 0.0], [0.0, 2.0, 0.0]]))
    assert not window.is_full
    window.add(torch.tensor([[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]]))
    assert window.is_full
    assert window.dead.tolist() == [True, False, False]
    window.add(torch.tensor([[0.0, 1.0, 3.0]]))
    assert window.dead.tolist() == [True, True, True]


@pytest.mark.parametrize(
    ("signal", "normal", "abnormal"),
    [("spread", 0.3, 0.07), ("rank_me", 12.0, 2.9), ("dead_share", 0.5, 0.51), ("share_empty", 0.5, 0.9)],
)
def test_only_looks_in_a_row_are_told_and_once(signal: str, normal: float, abnormal: float) -> None:
    judge = Judge()
    values = [normal, abnormal, abnormal, normal, abnormal, abnormal, abnormal, abnormal, normal, *[abnormal] * 9]
    told = [step for step, value in enumerate(values) if judge.judge(step, {signal: value})]
    assert told == [6]
    resumed = Judge(Limits(), **judge.state())  # type: ignore[arg-type]
    assert not [step for step in range(9) if resumed.judge(step, {signal: abnormal})]


def test_losses_that_fall_or_are_small_and_negative_do_not_diverge() -> None:
    falling, negative = Judge(), Judge()
    assert not [n for step in range(50) for n in falling.judge(step, {"loss": 1000 / (step + 1)})]
    assert not [n for step in range(50) for n in negative.judge(step, {"loss": -0.01 * step})]
    growing = [
        n for step in range(50) for n in Judge().judge(step, {"loss": 2.0}) + negative.judge(step, {"loss": 1e9})
    ]
    assert [notice.kind for notice in growing] == ["divergence"]


def test_a_scaler_may_skip_a_few_losses() -> None:
    record = LossRecord(patience=3)
    for step, loss in enumerate([1.0, math.inf, math.nan, 1.0, math.nan, math.nan]):
        record.add(torch.tensor(loss), step)
    assert record.first() is None
    record.add(torch.tensor(math.inf), 6)
    record.add(torch.tensor(1.0), 7)
    assert record.first() == 4


def test_what_is_not_finite_is_named() -> None:
    bad = torch.tensor([1.0, math.nan])
    state = {"state_dict": {"a": torch.ones(1), "b": bad}, "optimizer_states": [{"state": {0: {"m": bad}}}], "e": None}
    assert not_finite(state) == ["state_dict.b", "optimizer_states.0.state.0.m"]


def test_empty_views_of_an_encoder_that_is_held_still_are_not_laid_to_its_changes() -> None:
    still = Settings("SimCLR", 0.1, weight=10.0, epsilon=2.6, is_auto=True, is_still=True, mined_empty=0.04)
    (cause,) = causes(EMPTY, still)
    assert "augmentation empties L ∩ D" in cause
    assert "take epsilon=auto" not in cause.lower()
    moving = causes(EMPTY, Settings("SimCLR", 0.1, weight=10.0, epsilon=2.6))
    assert any("learning rate (0.1) is too high" in cause for cause in moving)


@pytest.mark.parametrize("is_auto", [True, False])
def test_epsilon_auto_is_no_advice_where_it_is_set(is_auto: bool) -> None:
    (cause,) = causes(EMPTY, Settings("SimCLR", 0.1, weight=1.0, epsilon=2.6, is_auto=is_auto, was_empty=True))
    assert ("epsilon=auto" in cause) != is_auto
