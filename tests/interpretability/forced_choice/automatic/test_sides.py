"""Features inside and outside of the band, against least squares."""

import numpy as np
import pytest

from qscore.interpretability.forced_choice.automatic.sides import compare_sides


def planted(num: int = 200, effect: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values that rise with the logarithm of the size, and by an effect inside; D is the middle of the sizes."""
    generator = np.random.default_rng(0)
    sizes = np.round(np.exp(generator.uniform(3, 8, num))).astype(int)
    inside = (sizes >= np.quantile(sizes, 0.5)) & (sizes <= np.quantile(sizes, 0.95))
    return 0.05 * np.log(sizes) + effect * inside + 0.03 * generator.normal(size=num), inside, sizes


def test_the_adjusted_difference_is_that_of_least_squares() -> None:
    values, inside, sizes = planted()
    columns = np.column_stack([np.ones(len(values)), inside, np.log(sizes)])
    coefficient = np.linalg.lstsq(columns, values, rcond=None)[0][1]
    found = compare_sides(values, inside, sizes)
    assert found["difference_adjusted"] == pytest.approx(coefficient, abs=1e-9)
    assert found["difference"] == pytest.approx(values[inside].mean() - values[~inside].mean())


def test_size_alone_is_a_difference_that_the_adjusted_one_does_not_see() -> None:
    found = compare_sides(*planted(effect=0.0))
    assert None not in (found["difference_low"], found["difference_adjusted_low"], found["difference_adjusted_high"])
    assert found["difference_low"] > 0  # type: ignore[operator]
    assert found["difference_adjusted_low"] < 0 < found["difference_adjusted_high"]  # type: ignore[operator]
    assert found["outside_rarer"] < found["discriminative"] < found["outside_commoner"]  # type: ignore[operator]


def test_one_side_alone_has_no_difference() -> None:
    values, _, sizes = planted(num=5)
    found = compare_sides(values, np.ones(5, dtype=bool), sizes)
    assert (found["discriminative"], found["outside"]) == (pytest.approx(values.mean()), None)
    assert "difference" not in found
    same_size = compare_sides(np.array([1.0, 1, 0, 0]), np.array([True, True, False, False]), np.full(4, 20))
    assert same_size["difference_adjusted"] == same_size["difference"] == 1
