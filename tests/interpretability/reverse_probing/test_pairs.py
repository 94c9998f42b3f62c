"""Confused pairs against loops, a planted pair, and what chance does to p."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, false_discovery_control
from sklearn.metrics import confusion_matrix

from qscore.interpretability.reverse_probing.concepts import make_concepts, shuffled, side_by_side
from qscore.interpretability.reverse_probing.confusion import MIN_CHANGED, MIN_SAMPLES, confusions, holm, shares
from qscore.interpretability.reverse_probing.pairs import as_arrays, told_apart
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.solvers import SGD
from qscore.records import Concepts, Grouping
from tests.interpretability.planted import one_hot, random_concepts

NUM = 3000


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_confusions_are_those_of_loops(seed: int, num_clusters: int, num: int) -> None:
    generator = np.random.default_rng(seed)
    clusters = generator.integers(0, num_clusters, num)
    before, after = generator.normal(size=(2, num, num_clusters))
    after[np.arange(num), clusters] += 1
    found = confusions(clusters, before, after)
    expected = []
    for i in range(num_clusters):
        for j in range(i + 1, num_clusters):
            own, other = (np.where(clusters == i, *ends) for ends in ((i, j), (j, i)))
            mine = np.flatnonzero((clusters == i) | (clusters == j))
            was, is_now = (np.array([q[n, own[n]] > q[n, other[n]] for n in mine], bool) for q in (before, after))
            mended, broken = (is_now & ~was).sum(), (was & ~is_now).sum()
            is_confused = any((q[mine].argmax(1) == other[mine]).any() for q in (before, after))
            is_large = min((clusters == i).sum(), (clusters == j).sum()) >= MIN_SAMPLES
            if is_confused and is_large and mended + broken >= MIN_CHANGED:
                p = binomtest(mended, mended + broken, alternative="greater").pvalue
                expected.append((i, j, mended, broken, p))
    assert [tuple(pair) for pair in found.pairs] == [row[:2] for row in expected]
    assert [tuple(pair) for pair in found.changed] == [row[2:4] for row in expected]
    np.testing.assert_allclose(found.p, [row[4] for row in expected], rtol=1e-9)
    assert (found.counts == np.bincount(clusters, minlength=num_clusters)[found.pairs]).all()
    for q, column in ((before, 0), (after, 1)):
        c = confusion_matrix(clusters, q.argmax(1), labels=range(num_clusters), normalize="true")
        np.testing.assert_allclose(found.shares[:, column], [(c[i, j] + c[j, i]) / 2 for i, j in found.pairs])


def test_a_share_counts_both_directions_alike_however_large_the_clusters() -> None:
    clusters, predicted = np.repeat([0, 1], [10, 90]), np.zeros(100, int)
    assert shares(clusters, predicted, np.array([[0, 1]])) == pytest.approx(0.5)
    assert shares(clusters, clusters, np.array([[0, 1], [0, 2]])).tolist() == [0, 0]


@given(st.lists(st.floats(0, 1), max_size=20).map(np.array))
def test_holm_lies_between_no_correction_and_bonferroni(p: np.ndarray) -> None:
    found = holm(p)
    assert (found >= p).all()
    assert (found <= np.minimum(1, p * max(1, len(p))) + 1e-12).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()
    if len(p):
        assert (found >= false_discovery_control(p) - 1e-12).all()


@pytest.fixture
def clusters() -> np.ndarray:
    """Six clusters; labels confuse 0 with 1, colour tells them apart by red, and 4 with 5, which nothing does."""
    return np.arange(NUM) % 6


@pytest.fixture
def concepts(clusters: np.ndarray) -> Concepts:
    generator = np.random.default_rng(0)
    labels = one_hot(np.array([0, 0, 1, 2, 3, 3])[clusters], "labels")
    red = (clusters == 0) & (generator.random(NUM) < 0.9)
    dull = generator.random((NUM, 3)) < 0.3
    present = np.column_stack([dull[:, 0], red, dull[:, 1:]])
    colour = make_concepts(present, ["grey", "red", "green", "blue"], "colour", labels.ids)
    return side_by_side([labels, random_concepts(NUM, 5), colour])


@pytest.mark.parametrize("solver", ["lbfgs", SGD(epochs=30)])
def test_the_planted_pair_comes_first_with_its_concept(
    concepts: Concepts, clusters: np.ndarray, solver: str | SGD
) -> None:
    found = told_apart(concepts, Grouping(clusters + 10, "numbered from 10"), ["labels"], Prober(solver=solver))
    first = found[0]
    assert (first.group, first.clusters) == ("colour", (10, 11))
    assert first.concepts[0] == "red"
    assert first.theta[0] > 1
    assert first.p < 1e-6
    assert first.counts == (NUM // 6 // 5, NUM // 6 // 5)
    assert first.confusion[0] == pytest.approx(0.5)  # by labels alone all of one go to the other
    assert first.confusion[1] < 0.1
    assert {pair.clusters for pair in found if pair.p < 0.05} == {(10, 11)}


def test_a_group_that_was_shuffled_tells_nothing_apart(concepts: Concepts, clusters: np.ndarray) -> None:
    labels = one_hot(np.array([0, 0, 1, 2, 3, 3])[clusters], "labels")
    false_alarms = 0
    for seed in range(10):
        dealt = side_by_side([labels, shuffled(one_hot(clusters, "dealt"), seed)])
        false_alarms += any(pair.p < 0.05 for pair in told_apart(dealt, Grouping(clusters, "k"), ["labels"], Prober()))
    assert false_alarms <= 3  # at most 5 % are expected


def test_a_concept_that_all_samples_have_tells_nothing_apart(clusters: np.ndarray) -> None:
    labels = one_hot(np.array([0, 0, 1, 2, 3, 3])[clusters], "labels")
    always = side_by_side([labels, make_concepts(np.ones((NUM, 1), bool), ["square"], "shape", labels.ids)])
    for solver in ("lbfgs", SGD(epochs=30)):
        found = told_apart(always, Grouping(clusters, "k"), ["labels"], Prober(solver=solver))
        assert all(pair.p > 0.05 for pair in found)


def test_samples_that_go_to_a_third_cluster_are_not_told_apart() -> None:
    truth = np.repeat([0, 1, 2], 40)
    before, after = np.full((120, 3), -2.0), np.full((120, 3), -2.0)
    before[:80, 0], after[:80, 2] = 0, 0  # what was taken for 0 is now taken for 2
    before[80:, 2], after[80:, 2] = 0, 0
    before[:80, 1] = after[:80, 1] = -1
    found = confusions(truth, before, after)
    assert all(p > 0.4 for pair, p in zip(found.pairs.tolist(), found.p, strict=True) if pair == [0, 1])


def test_without_labels_or_without_a_pair(concepts: Concepts, clusters: np.ndarray) -> None:
    found = told_apart(concepts, Grouping(clusters, "k"), [], Prober(), num_pairs=3)
    assert len(found) == 3
    few = Grouping(np.where(np.arange(NUM) < 60, clusters, -1), "too few samples")
    assert told_apart(concepts, few, ["labels"], Prober()) == []


def test_arrays_are_filled_up(concepts: Concepts, clusters: np.ndarray) -> None:
    found = told_apart(concepts, Grouping(clusters, "k"), ["labels"], Prober())
    arrays = as_arrays(found, num_concepts=6)
    assert arrays["pair_concepts"].dtype.kind == "U"
    assert arrays["pair_concepts"].shape == arrays["pair_theta"].shape == (len(found), 6)
    assert arrays["pair_concepts"][0, 0] == "red"
    assert arrays["pair_concepts"][0, 4:].tolist() == ["", ""]
    assert (np.diff(np.abs(arrays["pair_theta"]), axis=1) <= 0).all()
    empty = as_arrays([])
    assert empty["pair_clusters"].shape == (0, 2)
    assert {len(array) for array in empty.values()} == {0}
