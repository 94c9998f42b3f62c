import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from qscore.data.augment.draws import Draws

NUM = 20_000


@pytest.mark.parametrize("varied", range(4))
def test_numbers_are_uniform_and_independent_along_every_key(varied: int) -> None:
    keys: list[int | np.ndarray] = [3, 1, 4, 1]
    keys[varied] = np.arange(NUM)
    numbers = Draws(keys).uniform(4)
    for column in numbers.T:
        assert kstest(column, "uniform").pvalue > 1e-4
        assert abs(np.corrcoef(column[:-1], column[1:])[0, 1]) < 5 / np.sqrt(NUM)
    correlations = np.corrcoef(numbers.T) - np.eye(4)
    assert np.abs(correlations).max() < 5 / np.sqrt(NUM)


def test_a_long_stream_of_one_sample_is_uniform_and_never_repeats() -> None:
    numbers = Draws([0, 0, np.zeros(1, dtype=int), 0]).uniform(NUM)[0]
    assert kstest(numbers, "uniform").pvalue > 1e-4
    assert len(np.unique(numbers)) == NUM


@given(st.integers(0, 2**31), st.integers(0, 10**6), st.lists(st.integers(0, 10**7), min_size=2, max_size=9))
def test_a_sample_draws_the_same_in_any_company(seed: int, epoch: int, positions: list[int]) -> None:
    together = Draws([seed, epoch, np.array(positions), 0]).uniform(3)
    alone = [Draws([seed, epoch, np.array([position]), 0]).uniform(3)[0] for position in positions]
    np.testing.assert_array_equal(together, np.stack(alone))


def test_calls_in_pieces_continue_the_stream() -> None:
    keys = [0, 0, np.arange(5), 0]
    pieces = Draws(keys)
    np.testing.assert_array_equal(Draws(keys).uniform(5), np.concatenate([pieces.uniform(2), pieces.uniform(3)], 1))


def test_seeds_and_epochs_that_add_up_alike_draw_apart() -> None:
    positions = np.arange(100)
    assert not np.isin(Draws([0, 1, positions, 0]).uniform(1), Draws([1, 0, positions, 0]).uniform(1)).any()
    assert not np.isin(Draws([0, 0, positions, 1]).uniform(1), Draws([0, 0, positions + 1, 0]).uniform(1)).any()


def test_events_happen_as_often_as_they_should() -> None:
    for probability in (0.0, 0.2, 1.0):
        share = Draws([0, 0, np.arange(NUM), 0]).happens(probability).mean()
        assert share == pytest.approx(probability, abs=5 * np.sqrt(probability * (1 - probability) / NUM))
