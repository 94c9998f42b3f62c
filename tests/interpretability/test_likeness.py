"""Likeness of groupings against contingency tables worked out by hand."""

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.likeness import likeness


def test_likeness_is_that_of_a_table_by_hand() -> None:
    """[[3, 1], [1, 3]]: MI = ln 2 - H(1/4); pairs: 12 of 28 in one group of each, 6 in one of both."""
    first, second = np.repeat([0, 1], 4), np.array([0, 0, 0, 1, 1, 1, 1, 0])
    found = likeness(first, second)
    information = np.log(2) + 0.25 * np.log(0.25) + 0.75 * np.log(0.75)
    assert found.nmi == pytest.approx(information / np.log(2))
    expected = 12 * 12 / 28
    assert found.ari == pytest.approx((6 - expected) / (12 - expected))
    assert found.ami < found.nmi


def test_likeness_ignores_names_and_samples_in_no_group() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 6, 300), generator.integers(0, 4, 300)
    found = likeness(first, second)
    assert abs(found.ami) < 0.03
    assert found.nmi > found.ami
    back = likeness(second, first)
    assert (found.nmi, found.ami, found.ari) == pytest.approx((back.nmi, back.ami, back.ari))
    renamed = generator.permutation(6)[first]
    assert likeness(renamed, second).ami == pytest.approx(found.ami)
    longer = likeness(np.append(first, [-1, 2]), np.append(second, [3, -1]))
    assert longer == found
    itself = likeness(first, renamed + 10)
    assert (itself.nmi, itself.ami, itself.ari) == pytest.approx((1, 1, 1))


def test_likeness_of_what_cannot_be_compared() -> None:
    assert np.isnan(likeness(np.zeros(5, int), np.ones(5, int)).nmi)
    assert likeness(np.zeros(4, int), np.array([0, 0, 1, 1])).ami == 0
    with pytest.raises(UserError, match="got 2 and 3"):
        likeness(np.zeros(2, int), np.zeros(3, int))
    with pytest.raises(UserError, match="got none"):
        likeness(np.array([0, -1]), np.array([-1, 0]))
