"""Measures against scikit-learn and against counting by hand."""

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import (
    adjusted_mutual_info_score,
    average_precision_score,
    log_loss,
    normalized_mutual_info_score,
    top_k_accuracy_score,
)

from qscore.interpretability.reverse_probing.measures import entropy, measure


def test_measures_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    clusters, everything = generator.integers(0, 9, 300), generator.integers(0, 9, 2000)
    log_q = log_softmax(generator.normal(size=(300, 9)) + 2 * np.eye(9)[clusters], axis=1)
    found, predicted = measure(log_q, clusters, everything), log_q.argmax(1)
    assert found.cross_entropy_nats == pytest.approx(log_loss(clusters, np.exp(log_q)))
    assert found.entropy_nats == pytest.approx(scipy_entropy(np.bincount(clusters)))
    assert found.entropy_all_nats == pytest.approx(scipy_entropy(np.bincount(everything)))
    assert found.nmi == pytest.approx(normalized_mutual_info_score(clusters, predicted))
    assert found.ami == pytest.approx(adjusted_mutual_info_score(clusters, predicted))
    assert found.top1 == pytest.approx(top_k_accuracy_score(clusters, log_q, k=1))
    assert found.top5 == pytest.approx(top_k_accuracy_score(clusters, log_q, k=5))
    one_against_rest = average_precision_score(np.eye(9)[clusters], log_q, average="macro")
    assert found.mean_average_precision == pytest.approx(one_against_rest)
    assert found.information_nats == pytest.approx(found.entropy_nats - found.cross_entropy_nats)
    assert found.information_bits == pytest.approx(found.information_nats / np.log(2))
    assert (found.num_clusters, found.num_absent, found.num_test) == (9, 0, 300)


def test_of_equal_probabilities_the_first_clusters_come_first() -> None:
    uniform = np.log(np.full((10, 10), 0.1))
    found = measure(uniform, np.arange(10), np.arange(10))
    assert found.top1 == pytest.approx(0.1)  # the prediction is cluster 0 throughout
    assert found.top5 == pytest.approx(0.5)
    assert found.information_nats == pytest.approx(0)
    assert found.ami == pytest.approx(0)


def test_clusters_without_a_test_sample_are_counted_and_not_averaged_over() -> None:
    clusters = np.array([0, 0, 3, 3])
    log_q = np.log([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.2, 0.1, 0.1, 0.6], [0.1, 0.1, 0.1, 0.7]])
    found = measure(log_q, clusters, np.array([0, 1, 2, 3]))
    assert (found.num_clusters, found.num_absent) == (4, 2)
    # cluster 0: its samples rank 1, and 3rd to 4th (a tie: precision at its end, 2 / 4); cluster 3: 1 and 2
    assert found.mean_average_precision == pytest.approx(((1 + 2 / 4) / 2 + 1) / 2)
    assert found.entropy_all_nats == pytest.approx(np.log(4))


def test_information_below_zero_stays_below_zero() -> None:
    wrong = np.log([[0.1, 0.9], [0.9, 0.1]])
    assert measure(wrong, np.array([0, 1]), np.array([0, 1])).information_nats == pytest.approx(np.log(2) + np.log(0.1))


def test_a_single_cluster_has_no_fraction() -> None:
    found = measure(np.log([[0.9, 0.1]]), np.array([0]), np.array([0]))
    assert found.entropy_nats == 0
    assert found.information_fraction is None
    assert entropy(np.array([3, 3, 3])) == 0
    assert entropy(np.array([0, 5, 9, 12])) == pytest.approx(np.log(4))
