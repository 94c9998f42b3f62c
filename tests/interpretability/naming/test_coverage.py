"""Coverage and purity: by hand, and by what always holds."""

import numpy as np
import pytest

from qscore.interpretability.naming.coverage import (
    coverage,
    cx_purity,
    jaccard,
    named_by_exactly,
    without_small_concepts,
    xc_purity,
)

# Twelve activations of six images by two annotators.
IMAGES = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
FEATURES = np.array([7, 8, 7, 8, 7, 8, 7, 9, 7, 9, 7, 9])
FIRST = np.array([0, 1, 0, 1, 0, 1, 0, -1, -1, 1, -1, -1])
SECOND = np.array([0, 0, 0, 0, 1, -1, 1, -1, 1, 2, -1, 2])


def test_twelve_activations_by_hand() -> None:
    named = np.stack([FIRST, SECOND]) >= 0
    first, second, either = coverage(named[0], IMAGES), coverage(named[1], IMAGES), coverage(named.any(0), IMAGES)
    assert (first.activations, first.partial, first.complete) == (8 / 12, 5 / 6, 3 / 6)
    assert (second.activations, second.partial, second.complete) == (9 / 12, 6 / 6, 3 / 6)
    assert (either.activations, either.partial, either.complete) == (10 / 12, 6 / 6, 4 / 6)
    assert named_by_exactly(named).tolist() == [2 / 12, 3 / 12, 7 / 12]
    assert jaccard(*named) == 7 / 10
    assert cx_purity(FIRST, FEATURES) == (4 + 3) / 8
    assert xc_purity(FIRST, FEATURES) == (4 + 3 + 1) / 8
    assert cx_purity(SECOND, FEATURES) == (2 + 3 + 2) / 9
    assert xc_purity(SECOND, FEATURES) == (3 + 2 + 2) / 9
    assert without_small_concepts(FIRST, IMAGES).tolist() == FIRST.tolist()
    assert without_small_concepts(SECOND, IMAGES).tolist() == [-1] * 4 + [1, -1, 1, -1, 1, -1, -1, -1]


def test_what_always_holds() -> None:
    generator = np.random.default_rng(0)
    for _ in range(30):
        num, annotators = int(generator.integers(1, 40)), int(generator.integers(1, 6))
        namings = generator.integers(-1, 5, (annotators, num))
        images, features = generator.integers(0, 12, num), generator.integers(0, 4, num)
        either = coverage((namings >= 0).any(0), images)
        for naming in namings:
            own = coverage(naming >= 0, images)
            assert own.complete <= own.partial
            assert own.activations <= either.activations
            assert own.partial <= either.partial
            assert own.complete <= either.complete
            cleaned = without_small_concepts(naming, images)
            assert np.array_equal(without_small_concepts(cleaned, images), cleaned)
            if (naming >= 0).any():
                assert 1 / 4 <= cx_purity(naming, features) <= 1  # of 4 features, the most frequent one
                assert 1 / 5 <= xc_purity(naming, features) <= 1
                assert cx_purity(naming, naming) == xc_purity(naming, naming) == 1
        shares = named_by_exactly(namings >= 0)
        assert shares.sum() == pytest.approx(1)
        assert shares @ np.arange(annotators + 1) == pytest.approx((namings >= 0).mean() * annotators)


def test_nothing_named() -> None:
    none, images = np.full(3, -1), np.arange(3)
    assert (coverage(none >= 0, images).partial, named_by_exactly(none[None] >= 0).tolist()) == (0, [1, 0])
    assert np.isnan([cx_purity(none, images), xc_purity(none, images), jaccard(none >= 0, none >= 0)]).all()
