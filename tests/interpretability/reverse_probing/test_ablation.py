"""Groups of concepts of which it is known what they add, and chance."""

import numpy as np
import pytest
import torch

from qscore.errors import UserError
from qscore.interpretability.clusters import clusterings
from qscore.interpretability.reverse_probing.ablation import added, by_k, cumulative
from qscore.interpretability.reverse_probing.chance import mean_and_sd, probe_with_chance
from qscore.interpretability.reverse_probing.concepts import of_groups, side_by_side
from qscore.interpretability.reverse_probing.measures import MEASURES
from qscore.interpretability.reverse_probing.probe import reverse_probe
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.solvers import SGD
from qscore.records import Concepts, Grouping
from tests.interpretability.planted import digits, one_hot, random_concepts

NATS, AMI, NMI = (MEASURES.index(name) for name in ("information_nats", "ami", "nmi"))
NUM = 1500


@pytest.fixture
def groupings() -> list[Grouping]:
    """Two clusterings into 4 classes of 2 halves each, of which the second is the first with a tenth moved."""
    clusters = np.arange(NUM) % 8
    moved = np.where(np.random.default_rng(0).random(NUM) < 0.1, (clusters + 3) % 8, clusters)
    return [Grouping(clusters, "first"), Grouping(moved, "second")]


@pytest.fixture
def concepts() -> Concepts:
    """Labels say the class (ln 4), halves say which half (ln 2), noise says nothing."""
    clusters = np.arange(NUM) % 8
    return side_by_side([one_hot(clusters // 2, "labels"), random_concepts(NUM, 6), one_hot(clusters % 2, "halves")])


def test_groups_add_what_is_known_and_shuffled_ones_nothing(concepts: Concepts, groupings: list[Grouping]) -> None:
    found = added(concepts, groupings, ["labels"], Prober())
    assert found.groups == ("noise", "halves")
    assert found.differences.shape == found.shuffled.shape == (2, 2, len(MEASURES))
    assert found.alone[0, NATS] == pytest.approx(np.log(4), abs=0.02)
    assert found.differences[1, 0, NATS] == pytest.approx(np.log(2), abs=0.02)
    assert found.differences[1, :, NATS].min() > 0.3
    assert found.differences[0, :, NATS].max() < 0.02
    assert found.shuffled[:, :, NATS].max() < 0.02
    assert found.differences[1, :, AMI].min() > 0.1
    labels = of_groups(concepts, ["labels"])
    alone, both = (
        reverse_probe(some, groupings[1], seed=1, solver="lbfgs")
        for some in (labels, side_by_side([labels, of_groups(concepts, ["halves"])]))
    )
    assert np.array_equal(alone.split.test, both.split.test)
    assert found.differences[1, 1, NMI] == pytest.approx(both.nmi - alone.nmi)


def test_groups_pile_up(concepts: Concepts, groupings: list[Grouping]) -> None:
    with_labels = cumulative(concepts, groupings, ["labels", "halves", "noise"], Prober())
    assert with_labels.steps == ("labels", "+ halves", "+ noise")
    assert with_labels.values.shape == (3, 2, len(MEASURES))
    np.testing.assert_allclose(with_labels.values[:, 0, NATS], np.log([4, 8, 8]), atol=0.03)
    without = cumulative(concepts, groupings[:1], ["halves", "noise"], Prober())
    np.testing.assert_allclose(without.values[:, 0, NATS], np.log([2, 2]), atol=0.05)  # noise costs a little
    with pytest.raises(UserError, match="'colour'"):
        cumulative(concepts, groupings, ["colour"], Prober())


def test_chance_stands_beside_every_clustering(concepts: Concepts, groupings: list[Grouping]) -> None:
    found = probe_with_chance(concepts, groupings, Prober())
    assert found.clusterings.shape == (2, len(MEASURES))
    assert found.shuffled.shape == (2, 3, len(MEASURES))
    metrics = found.as_metrics()
    assert metrics["information_nats"] == pytest.approx(np.mean([probe.information_nats for probe in found.probes]))
    assert metrics["ami_sd"] == pytest.approx(np.std([probe.ami for probe in found.probes], ddof=1))
    assert abs(metrics["shuffled/ami"] or 1) < 0.02
    assert (metrics["shuffled/information_nats"] or 1) < 0.02
    assert metrics["shuffled/nmi_sd"] == pytest.approx(np.std(found.shuffled[..., NMI], ddof=1))
    again = probe_with_chance(concepts, groupings, Prober())
    assert again.as_metrics() == metrics
    assert list(found.as_arrays()["measures"]) == list(MEASURES)


def test_one_clustering_has_no_deviation_and_what_is_undefined_is_none() -> None:
    one = mean_and_sd(np.ones((1, len(MEASURES))))
    assert (one["ami"], one["ami_sd"]) == (1, None)
    holes = np.ones((2, len(MEASURES)))
    holes[0, MEASURES.index("information_fraction")] = np.nan
    assert mean_and_sd(holes)["information_fraction"] is None
    assert mean_and_sd(holes)["ami_sd"] == 0
    assert mean_and_sd(np.ones((0, len(MEASURES))), "shuffled/")["shuffled/ami"] is None


def test_more_clusters_have_more_to_say_and_a_seed_repeats() -> None:
    x, labels = digits()
    words = one_hot(labels, "labels")
    groupings = {k: [quantizer.assign(x) for quantizer in clusterings(x, k, range(2))] for k in (4, 10)}
    found = by_k(words, groupings, Prober())
    assert found.ks.tolist() == [4, 10]
    assert found.values.shape == (2, 2, len(MEASURES))
    assert found.values[0, :, NATS].max() < found.values[1, :, NATS].min()
    assert found.values[0, :, NATS].max() < np.log(4)
    assert np.array_equal(by_k(words, groupings, Prober()).values, found.values)


def test_one_solver_serves_all_that_is_compared(
    concepts: Concepts, groupings: list[Grouping], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qscore.interpretability.reverse_probing.probe.SMALL", 10 * NUM)
    assert Prober().settled(concepts, groupings).solver == "lbfgs"
    wide = Grouping(np.arange(NUM) % 11, "more clusters")
    assert Prober().settled(concepts, [*groupings, wide]).solver == "sgd"
    assert Prober(solver=SGD(epochs=1)).settled(concepts, [wide]).solver == SGD(epochs=1)
    on_device = Prober(device=torch.device("cpu"), solver=SGD(epochs=1)).probe(concepts, groupings[0])
    assert on_device.solver == "SGD"
