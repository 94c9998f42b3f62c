"""Ratings are counted in the range of their class."""

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.ratings import Rating, summarise_ratings
from qscore.interpretability.purity import choose_by_purity


def test_ratings_are_counted_by_range_of_purity() -> None:
    ranges = choose_by_purity(np.array([0.35, 0.38, 0.95, 0.1]), np.array([4, 5, 6, 7]))
    values = {4: [1, 2, 2], 5: [5], 6: [5, 4], 7: [3]}
    ratings = [Rating(c, str(i), v, v > 1) for c, given in values.items() for i, v in enumerate(given)]
    low, *empty, high = summarise_ratings(ratings, ranges)
    assert (low.counts, low.mean, low.suits_one, low.num_ratings) == ((1, 2, 0, 0, 1), 2.5, 0.75, 4)
    assert (high.counts, high.mean, high.suits_one) == ((0, 0, 0, 1, 1), 4.5, 1.0)
    assert {(r.mean, r.suits_one, r.num_ratings) for r in empty} == {(None, None, 0)}


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="from 1 to 5, got 0, 6"):
        summarise_ratings([Rating(0, "a", 6, True), Rating(1, "a", 0, True)], [])
    with pytest.raises(UserError, match="class 3 by a"):
        summarise_ratings([Rating(3, "a", 1, True), Rating(3, "a", 2, True)], [])
