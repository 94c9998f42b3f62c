"""Significant sets against all subsets, and the sources of their terms against sums of their own."""

from itertools import combinations

import numpy as np
import pytest
import torch

from qscore.errors import UserError
from qscore.evaluation.linear import LinearClassifier
from qscore.interpretability.naming.significance import (
    discriminative_contributions,
    logit_contributions,
    mean_significant,
    significant,
)
from qscore.score import q_score

from .printed import MEAN_SIGNIFICANT, NUM_IMAGES, NUM_SIGNIFICANT


def smallest_sets(terms: list[int], percent: int) -> list[set[int]]:
    """All sets of the least size that reach the share of the positive score, in whole numbers."""
    score = sum(term for term in terms if term > 0)
    for size in range(len(terms) + 1):
        sets = [set(c) for c in combinations(range(len(terms)), size)]
        if found := [s for s in sets if 100 * sum(terms[k] for k in s) >= percent * score]:
            return found
    raise AssertionError


def test_no_smaller_set_reaches_the_share() -> None:
    generator = np.random.default_rng(0)
    for _ in range(60):
        terms, percent = generator.integers(-3, 10, generator.integers(1, 11)).tolist(), int(generator.integers(1, 101))
        # Whole numbers, so that the oracle is exact; divided, so that ours has to round.
        chosen = set(np.flatnonzero(significant(np.array([terms]) / 10, share=percent / 100)[0]))
        assert chosen in smallest_sets(terms, percent)
        strongest = sorted(range(len(terms)), key=lambda k: -terms[k])[: len(chosen)]
        assert chosen == set(strongest)


def test_what_the_score_is_made_of() -> None:
    assert significant(np.array([[3.0, 3.0, 3.0, 1.0]])).tolist() == [[True, True, True, False]]
    assert significant(np.array([[0.1] * 10]), share=1.0).all()
    assert significant(np.zeros((0, 3))).shape == (0, 3)
    for wrong in (0, 1.1):
        with pytest.raises(UserError, match="share above 0"):
            significant(np.ones((1, 1)), share=wrong)
    with pytest.raises(UserError, match="finite"):
        significant(np.array([[np.nan]]))


def test_discriminative_terms_are_those_of_the_q_score() -> None:
    generator = torch.Generator().manual_seed(0)
    h = torch.rand(20, 50, generator=generator) ** 8
    discriminative = torch.rand(50, generator=generator) < 0.7
    terms = discriminative_contributions(h, discriminative, 1.5)
    expected = q_score(h, discriminative, 1.5) * h.sum(1)
    found = terms.sum(1) / np.maximum((terms > 0).sum(1), 1)
    assert (terms > 0).any(1).sum() > 10
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_logit_terms_and_what_is_constant_sum_to_the_logit(num_classes: int) -> None:
    generator = np.random.default_rng(0)
    num_outputs = 1 if num_classes == 2 else num_classes
    statistics = generator.normal(size=8), generator.uniform(0.5, 2, 8)
    labels = np.array([3, 5, 9])[:num_classes]
    probe = LinearClassifier(
        *statistics, generator.normal(size=(num_outputs, 8)), generator.normal(size=num_outputs), labels
    )
    h, classes = generator.normal(size=(12, 8)), generator.choice(labels, 12)
    logits = probe.logits(h) if num_outputs > 1 else np.hstack([-probe.logits(h), probe.logits(h)])
    chosen = logits[np.arange(12), np.searchsorted(labels, classes)]
    left = chosen - logit_contributions(torch.tensor(h), probe, classes).sum(1)
    for label in labels:
        assert np.ptp(left[classes == label]) < 1e-9
    with pytest.raises(UserError, match="got 4"):
        logit_contributions(torch.tensor(h[:1]), probe, np.array([4]))


@pytest.mark.parametrize("category", MEAN_SIGNIFICANT)
def test_means_are_those_of_table_1(category: str) -> None:
    chosen = np.zeros((NUM_IMAGES[category], 5), dtype=bool)
    chosen.T.flat[: NUM_SIGNIFICANT[category]] = True
    assert f"{round(mean_significant(chosen), 2):g}" == MEAN_SIGNIFICANT[category]
