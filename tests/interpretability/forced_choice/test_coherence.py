"""Intervals against those that the paper prints, closed forms and exact coverage."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from qscore.errors import UserError
from qscore.interpretability.forced_choice.coherence import class_bootstrap, coherence
from tests.interpretability.forced_choice.printed import CELLS


def test_the_58_intervals_of_the_paper_come_from_one_count_each() -> None:
    assert len(CELLS) == 58
    for num_answers, printed in CELLS:
        around = round(printed[0] / 100 * num_answers)
        fitting = []
        for num_correct in range(max(0, around - 2), min(num_answers, around + 2) + 1):
            found = coherence(num_correct, num_answers)
            if [f"{100 * x:.1f}" for x in (found.mean, found.low, found.high)] == [f"{x:.1f}" for x in printed]:
                fitting.append(num_correct)
        assert len(fitting) == 1, (printed, fitting)


@pytest.mark.parametrize("num_answers", [1, 60, 600])
def test_the_ends_have_a_closed_form(num_answers: int) -> None:
    end = 0.025 ** (1 / num_answers)
    nothing, everything = coherence(0, num_answers), coherence(num_answers, num_answers)
    assert (nothing.low, nothing.high) == pytest.approx((0, 1 - end))
    assert (everything.low, everything.high) == pytest.approx((end, 1))


@pytest.mark.parametrize("num_answers", [60, 600])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_covers_the_truth_as_often_as_it_says(num_answers: int, confidence: float) -> None:
    """Exactly, by summing binomial probabilities: no simulation."""
    found = [coherence(k, num_answers, confidence=confidence) for k in range(num_answers + 1)]
    low, high = np.array([c.low for c in found]), np.array([c.high for c in found])
    for p in np.append(np.linspace(0.5, 0.99, 50), [0.999, 1.0]):
        covered = (low <= p) & (p <= high)
        assert binom.pmf(np.flatnonzero(covered), num_answers, p).sum() >= confidence


def test_the_interval_is_of_beta_quantiles() -> None:
    found = coherence(47, 60, confidence=0.9)
    assert (found.low, found.high) == pytest.approx((beta.ppf(0.05, 47, 14), beta.ppf(0.95, 48, 13)))
    assert (found.num_correct, found.num_answers, found.confidence) == (47, 60, 0.9)


def test_over_classes_of_one_accuracy_both_intervals_are_as_wide() -> None:
    correct = np.random.default_rng(0).binomial(60, 0.8, size=200)
    answers = np.full(200, 60)
    over_classes, pooled = class_bootstrap(correct, answers), coherence(int(correct.sum()), 12_000)
    assert over_classes is not None
    assert over_classes.mean == pooled.mean
    assert over_classes.high - over_classes.low == pytest.approx(pooled.high - pooled.low, rel=0.15)


def test_the_interval_over_classes_follows_how_they_differ() -> None:
    """Half the classes at 1, half at 0.5: the share of a resample is a binomial one."""
    correct, answers = np.repeat([60, 30], 50), np.full(100, 60)
    found = class_bootstrap(correct, answers)
    assert found is not None
    ends = (1 + binom.ppf([0.025, 0.975], 100, 0.5) / 100) / 2
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=0.006)
    assert found == class_bootstrap(correct, answers)
    assert class_bootstrap(np.array([5]), np.array([6])) is None
    # classes of unlike size are pooled: the median resample has one of each
    uneven = class_bootstrap(np.array([60, 0]), np.array([60, 10]), confidence=0.4)
    assert uneven is not None
    assert (uneven.low, uneven.high) == (60 / 70, 60 / 70)


@pytest.mark.parametrize(("num_correct", "num_answers"), [(1, 0), (0, 0), (7, 6), (-1, 5)])
def test_counts_that_do_not_fit_are_refused(num_correct: int, num_answers: int) -> None:
    with pytest.raises(UserError, match=f"got {num_correct} of {num_answers}"):
        coherence(num_correct, num_answers)


def test_percent_and_empty_classes_are_refused() -> None:
    with pytest.raises(UserError, match=r"write 0\.95 for 95 %"):
        coherence(5, 6, confidence=95)
    with pytest.raises(UserError, match="an answer in every class"):
        class_bootstrap(np.array([0, 5]), np.array([0, 6]))
    with pytest.raises(UserError, match="no more than answers"):
        class_bootstrap(np.array([7, 5]), np.array([6, 6]))
