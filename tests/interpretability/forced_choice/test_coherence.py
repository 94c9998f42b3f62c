"""Intervals against those that the paper prints, closed forms and exact coverage."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from qscore.errors import UserError
from qscore.interpretability.forced_choice.coherence import class_bootstrap, coherence

# Tables 1 and 2 of arXiv 2010.14551, as printed: mean, low, high; random and hard negatives, human and automatic.
PRINTED = """
71.8 68.0 75.4 55.3 51.3 59.4 84.2 81.0 87.0 78.7 75.2 81.9
94.2 92.0 95.9 60.0 56.0 63.9 95.3 93.3 96.9 93.3 91.0 95.2
97.2 95.5 98.3 71.8 68.0 75.4 94.3 92.2 96.0 94.5 92.4 96.2
99.7 98.8 100.0 63.2 59.2 67.0 97.0 95.3 98.2 96.0 94.1 97.4
98.0 96.5 99.0 65.3 61.4 69.1 95.8 93.9 97.3 94.8 92.7 96.5
99.8 99.1 100.0 63.8 59.8 67.7 99.0 97.8 99.6 98.2 96.7 99.1
98.8 97.6 99.5 72.2 68.4 75.7 98.8 97.6 99.5 97.3 95.7 98.5
89.8 87.1 92.1 56.8 52.8 60.8 78.3 74.8 81.6 83.7 80.5 86.5
93.8 91.6 95.6 63.2 59.2 67.0 95.0 92.9 96.6 90.7 88.1 92.9
96.5 94.7 97.8 62.5 58.5 66.4 96.5 94.7 97.8 92.7 90.3 94.6
98.8 97.6 99.5 64.7 60.7 68.5 96.3 94.5 97.7 96.8 95.1 98.1
100.0 99.4 100.0 63.5 59.5 67.4 98.0 96.5 99.0 97.3 95.7 98.5
99.5 98.5 99.9 64.3 60.4 68.2 97.8 96.3 98.8 98.7 97.4 99.4
99.2 98.1 99.7 74.8 71.2 78.3 98.5 97.2 99.3 97.3 95.7 98.5
"""
CELLS = [(600, cell) for row in PRINTED.split("\n") for cell in np.array(row.split(), float).reshape(-1, 3)]
CELLS += [(1200, np.array([99.0, 98.3, 99.5])), (1200, np.array([95.6, 94.3, 96.7]))]  # ImageNet, 20 classes


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
