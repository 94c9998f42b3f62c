"""What the whole chain finds where the answer is known."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.special import xlogy
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from qscore.errors import UserError
from qscore.interpretability.clusters import quantize
from qscore.interpretability.reverse_probing.concepts import shuffled, side_by_side
from qscore.interpretability.reverse_probing.probe import ReverseProbe, reverse_probe
from qscore.interpretability.reverse_probing.solvers import SGD
from qscore.records import Grouping
from tests.interpretability.planted import digits, network, one_hot, random_concepts, xor_blobs


def test_a_colour_that_no_linear_probe_reads_is_found_in_reverse() -> None:
    h, colour, shape = xor_blobs()
    forward = LogisticRegression().fit(h[::2], colour[::2]).score(h[1::2], colour[1::2])
    both = side_by_side([one_hot(colour, "colour"), one_hot(shape, "shape")])
    reverse = reverse_probe(both, quantize(h, 4).assign(h))
    assert forward <= 0.55
    assert reverse.nmi >= 0.99
    assert 1.98 <= reverse.information_bits <= 2
    assert reverse.top1 == 1
    colour_alone = reverse_probe(one_hot(colour, "colour"), quantize(h, 4).assign(h))
    assert colour_alone.information_bits == pytest.approx(1, abs=0.05)


@pytest.fixture(scope="module")
def inputs() -> tuple[Tensor, np.ndarray]:
    return digits()


def probed(h: Tensor, labels: np.ndarray, seed: int = 0) -> ReverseProbe:
    return reverse_probe(one_hot(labels, "labels"), quantize(h, 10, seed=seed).assign(h), seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_supervision_is_more_sayable_than_pixels_and_these_more_than_the_network_before_training(
    inputs: tuple[Tensor, np.ndarray], seed: int
) -> None:
    x, labels = inputs
    noise = torch.randn(len(x), 64, generator=torch.Generator().manual_seed(seed))
    supervised, pixels, untrained, nothing = (
        probed(h, labels, seed) for h in (network(x, labels, seed, 100), x, network(x, labels, seed, 0), noise)
    )
    assert supervised.ami > pixels.ami + 0.1
    assert pixels.ami > untrained.ami + 0.1
    assert untrained.ami > nothing.ami + 0.1
    assert abs(nothing.ami) <= 0.02
    assert nothing.information_nats <= 0.02


def test_shuffled_concepts_are_at_chance(inputs: tuple[Tensor, np.ndarray]) -> None:
    x, labels = inputs
    clusters = quantize(x, 10).assign(x)
    concepts = one_hot(labels, "labels")
    rows = [reverse_probe(shuffled(concepts, seed), clusters) for seed in range(3)]
    assert abs(np.mean([row.ami for row in rows])) <= 0.02
    assert max(row.information_nats for row in rows) <= 0.02
    frequent = np.bincount(clusters.clusters).max() / len(labels)
    assert max(row.top1 for row in rows) <= frequent + 0.05


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_a_second_run_is_the_same_to_the_bit(inputs: tuple[Tensor, np.ndarray], solver: str) -> None:
    x, labels = inputs
    concepts = one_hot(labels, "labels")
    one, two = (reverse_probe(concepts, quantize(x, 10, seed=3).assign(x), seed=3, solver=solver) for _ in range(2))
    assert one.measures == two.measures
    assert torch.equal(one.model.weights, two.model.weights)
    assert np.array_equal(one.surprise, two.surprise)
    other = reverse_probe(concepts, quantize(x, 10, seed=3).assign(x), seed=4, solver=solver)
    assert not np.array_equal(one.split.test, other.split.test)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_planted_concepts_are_found_and_shuffled_ones_not(solver: str) -> None:
    generator = np.random.default_rng(0)
    clusters = generator.integers(0, 8, 4000)
    planted = one_hot(np.where(generator.random(4000) < 0.8, clusters // 2, generator.integers(0, 4, 4000)), "planted")
    found = reverse_probe(side_by_side([random_concepts(4000, 10), planted]), clusters, solver=solver)
    assert found.information_nats >= 0.6
    assert found.information_nats <= np.log(4)
    assert reverse_probe(shuffled(planted, 0), clusters, solver=solver).information_nats < 0.02
    assert reverse_probe(random_concepts(4000, 10), clusters, solver=solver).information_nats < 0.02


def test_the_bound_stays_below_the_information_of_a_known_joint_distribution_and_tends_to_it() -> None:
    generator = np.random.default_rng(0)
    joint = generator.dirichlet(0.5 * np.ones(12)).reshape(4, 3)  # (cluster, concept): one concept a sample, so linear
    known = float(xlogy(joint, joint / (joint.sum(1, keepdims=True) * joint.sum(0))).sum())
    gaps = []
    for num in (200, 2000, 20_000):
        bounds = []
        for seed in range(8 if num < 20_000 else 2):
            drawn = np.random.default_rng((seed, num)).choice(12, num, p=joint.ravel())
            probe = reverse_probe(one_hot(drawn % 3, "word", 3), drawn // 3, seed=seed)
            bounds.append(probe.information_nats)
        error = np.std(bounds, ddof=1) / np.sqrt(len(bounds))
        assert np.mean(bounds) <= known + 3 * error
        gaps.append(known - np.mean(bounds))
    assert gaps[0] > gaps[1]
    assert abs(gaps[2]) < 0.02 * known + 0.01


def test_surprise_and_predictions_are_those_of_the_test_samples() -> None:
    clusters = np.array([7, -1, 3, 9] * 50)  # numbers with gaps, and samples in none
    concepts = one_hot(np.arange(200) % 4, "kind")
    probe = reverse_probe(concepts, Grouping(clusters, "made up"))
    assert probe.cluster_ids.tolist() == [3, 7, 9]
    assert -1 not in clusters[probe.split.test]
    assert np.array_equal(probe.predicted, clusters[probe.split.test])
    assert probe.measures.cross_entropy_nats == pytest.approx(probe.surprise.mean(), rel=1e-5)
    assert sum(map(len, (probe.split.train, probe.split.validation, probe.split.test))) == 150


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_samples_without_a_concept_get_the_frequencies_of_their_kind(solver: str) -> None:
    is_named = np.arange(1000) < 500
    clusters = np.where(is_named, 0, np.arange(1000) % 4 // 3 + 1)  # without a concept: 3 in 4 are of cluster 1
    probe = reverse_probe(is_named[:, None], clusters, solver=solver)
    posterior = np.exp(probe.model.log_posterior(csr_array(np.array([[True], [False]]))))
    np.testing.assert_allclose(posterior, [[1, 0, 0], [0, 0.75, 0.25]], atol=0.03)


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
@pytest.mark.parametrize("num_concepts", [0, 3])
def test_concepts_that_apply_to_nothing_say_nothing(solver: str, num_concepts: int) -> None:
    probe = reverse_probe(np.zeros((500, num_concepts), dtype=bool), np.arange(500) % 3, solver=solver)
    assert probe.information_nats == pytest.approx(0, abs=0.02)
    assert probe.information_nats <= 1e-6


@pytest.mark.parametrize("solver", ["lbfgs", "sgd"])
def test_only_where_a_matrix_is_true_counts_not_how_it_is_stored(solver: str) -> None:
    generator = np.random.default_rng(0)
    present, clusters = generator.random((300, 5)) < 0.3, generator.integers(0, 3, 300)
    with_zeros = csr_array(np.ones_like(present))
    with_zeros.data = present.ravel()
    places = csr_array(present)
    twice = csr_array(
        (np.ones(2 * places.nnz, bool), np.repeat(places.indices, 2), 2 * places.indptr), shape=present.shape
    )
    expected = reverse_probe(present, clusters, solver=solver).measures
    for stored in (with_zeros, twice, csr_array(present.astype(float))):
        before = stored.nnz
        assert reverse_probe(stored, clusters, solver=solver).measures == expected
        assert stored.nnz == before
    with pytest.raises(UserError, match=r"0 and 1, got 0\.3"):
        reverse_probe(csr_array(0.3 * present), clusters)


def test_two_clusters_and_a_device_that_is_named() -> None:
    clusters = np.arange(400) % 2
    for solver in ("lbfgs", SGD(epochs=20)):
        probe = reverse_probe(one_hot(clusters, "side"), clusters, solver=solver, device=torch.device("cpu"))
        assert probe.information_bits == pytest.approx(1, abs=0.05)
        assert probe.top5 == 1


def test_clusters_that_leave_nothing_to_measure_on_are_refused() -> None:
    with pytest.raises(UserError, match="several samples"):
        reverse_probe(np.eye(20, dtype=bool), np.arange(20))
    with pytest.raises(UserError, match="at least 2 clusters"):
        reverse_probe(np.eye(20, dtype=bool), np.zeros(20, dtype=int))
    with pytest.raises(UserError, match="same samples, got 20 and 19"):
        reverse_probe(np.eye(20, dtype=bool), Grouping(np.zeros(19, dtype=int), "short"))
    with pytest.raises(UserError, match="Unknown solver 'adam'"):
        reverse_probe(np.eye(20, dtype=bool), np.arange(20) % 2, solver="adam")


def test_a_probe_can_be_copied_and_its_measures_read() -> None:
    probe = reverse_probe(np.tile(np.eye(2, dtype=bool), (50, 1)), np.arange(100) % 2)
    assert dataclasses.replace(probe, solver="other").ami == probe.measures.ami
    with pytest.raises(AttributeError):
        _ = probe.nothing
