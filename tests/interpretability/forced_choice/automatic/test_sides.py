"""Features inside and outside of the band, against least squares."""

import numpy as np
import pytest
import torch

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.feature_bridge import feature_groups
from qscore.interpretability.forced_choice.automatic.sides import compare_sides
from qscore.records import Representations


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


def test_of_more_features_than_are_wanted_some_are_drawn_at_random() -> None:
    h = torch.from_numpy(np.random.default_rng(0).exponential(size=(200, 60))).float()
    ids = tuple(map(str, range(200)))
    records = Representations(h, None, ids, (), "noise")
    first, other = (
        feature_groups(EvaluationInputs(records, records, epsilon=1.0, seed=seed), least=2, num_features=6)
        for seed in (0, 1)
    )
    inputs = EvaluationInputs(records, records, epsilon=1.0)
    whole = feature_groups(inputs, least=2, num_features=100)
    dominant = (h > h.mean(1, keepdim=True) + h.std(1, False, keepdim=True)).numpy()
    for found in (first, other):
        assert (found.inside.sum(), (~found.inside).sum()) == (6, 6)
        assert (np.diff(found.features) > 0).all()
        assert set(found.features) < set(whole.features)
        assert found.inside.tolist() == inputs.discriminative.numpy()[found.features].tolist()
        assert found.sizes.tolist() == dominant[:, found.features].sum(0).tolist()
        for side in (True, False):
            drawn, there = found.features[found.inside == side], whole.features[whole.inside == side]
            assert drawn.tolist() not in (there[:6].tolist(), there[-6:].tolist())
    assert first.features.tolist() != other.features.tolist()
