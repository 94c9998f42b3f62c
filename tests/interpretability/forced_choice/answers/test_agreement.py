"""Alpha against Krippendorff's worked examples, a definition by pairs, and annotators of known accuracy."""

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.agreement import alpha_of_counts
from qscore.interpretability.forced_choice.coherence import krippendorff_alpha

_ = np.nan
# Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011: sections A (0.095) and C (nominal 0.743).
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
FOUR_OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]


def by_pairs(answers: np.ndarray) -> float:
    """Alpha as it is defined: disagreement of pairs within units over that of all pairable values."""
    units = [column[~np.isnan(column)] for column in answers.T]
    units = [unit for unit in units if len(unit) > 1]
    values = np.concatenate(units)
    n = len(values)
    observed = sum((a != b) / (len(unit) - 1) for unit in units for a in unit for b in unit) / n
    expected = sum(a != b for a in values for b in values) / (n * (n - 1))
    return float(1 - observed / expected)


def test_worked_examples() -> None:
    assert krippendorff_alpha(np.array(BINARY)) == pytest.approx(0.095, abs=5e-4)
    assert krippendorff_alpha(np.array(FOUR_OBSERVERS)) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("seed", range(10))
def test_alpha_is_what_its_definition_says(seed: int) -> None:
    generator = np.random.default_rng(seed)
    answers = generator.integers(0, 4, size=(5, 12)).astype(float)
    answers[generator.random(answers.shape) < 0.4] = np.nan
    assert krippendorff_alpha(answers) == pytest.approx(by_pairs(answers))


def test_names_of_values_and_order_do_not_matter() -> None:
    answers = np.array(FOUR_OBSERVERS)
    renamed = np.choose(np.nan_to_num(answers, nan=1).astype(int) - 1, [0.5, -3, 7, 0, 99])
    renamed[np.isnan(answers)] = np.nan
    assert krippendorff_alpha(renamed[::-1, ::-1]) == pytest.approx(krippendorff_alpha(answers))


@pytest.mark.parametrize("accuracy", [0.5, 0.718, 0.8, 0.95])
def test_annotators_of_one_accuracy_agree_as_often_as_that_makes_them(accuracy: float) -> None:
    """(2p - 1)^2 where both sides are right equally often."""
    generator = np.random.default_rng(1)
    truth = np.arange(20_000) % 2
    right = generator.random((3, 20_000)) < accuracy
    assert krippendorff_alpha(np.where(right, truth, 1 - truth)) == pytest.approx((2 * accuracy - 1) ** 2, abs=0.02)


def test_alpha_where_all_agree_needs_both_sides() -> None:
    assert krippendorff_alpha(np.array([[0, 1, 1], [0, 1, 1]])) == 1
    assert np.isnan(krippendorff_alpha(np.array([[1, 1, 1], [1, 1, 1]])))
    assert np.isnan(krippendorff_alpha(np.array([[0, _], [_, 1]])))  # nothing to compare
    assert np.isnan(krippendorff_alpha(np.full((3, 4), _)))


def test_coding_rightness_would_make_alpha_nearly_nothing() -> None:
    """599 of 600 answers right: by side they agree, by rightness chance alone would agree as much."""
    side = np.tile(np.arange(200) % 2, (3, 1))
    answers = side.copy()
    answers[0, 0] = 1 - side[0, 0]
    assert krippendorff_alpha(answers) > 0.99
    assert krippendorff_alpha((answers == side).astype(int)) == pytest.approx(0, abs=1e-12)


def test_counts_say_the_same_as_answers() -> None:
    answers = np.array(FOUR_OBSERVERS)
    counts = np.array([(answers == value).sum(0) for value in range(1, 6)]).T
    assert alpha_of_counts(counts) == krippendorff_alpha(answers)


def test_infinite_values_are_refused() -> None:
    with pytest.raises(UserError, match=r"Expected finite numbers of shape \(rater, unit\)"):
        krippendorff_alpha(np.array([[0, np.inf]]))
