"""Purity against closed forms, and Fig. 2's ranges."""

import logging

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.clusters import purity
from qscore.interpretability.purity import RANGES, choose_by_purity
from qscore.records import Grouping


def test_purity_has_closed_forms() -> None:
    labels = np.concatenate([np.arange(1000), np.full(7, 3), [0, 1] * 5, [9, 9, 9, 8]])
    clusters = np.repeat([4, 0, 2, 7], [1000, 7, 10, 4])
    found = purity(labels, Grouping(clusters, "made up"), num_classes=1000)
    three_to_one = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    # in the order of the numbers 0, 2, 4, 7: one label; two equal ones, 0.8997; all; three to one
    assert found == pytest.approx([1, 1 - np.log(2) / np.log(1000), 0, 1 - three_to_one / np.log(1000)])
    assert found[0] == 1


def test_purity_depends_on_the_number_of_classes_and_on_nothing_but_counts() -> None:
    generator = np.random.default_rng(0)
    labels, clusters = generator.integers(0, 5, 200), generator.integers(-1, 4, 200)
    found = purity(labels, clusters, num_classes=5)
    order = generator.permutation(200)
    renamed = generator.permutation(5)[labels]
    assert purity(renamed[order], clusters[order], num_classes=5) == pytest.approx(found)
    assert 1 - purity(labels, clusters, num_classes=25) == pytest.approx((1 - found) / 2)
    as_matrix = clusters[:, None] == np.arange(4)
    assert purity(labels, as_matrix, num_classes=5) == pytest.approx(found)
    # a sample in no cluster counts nowhere
    changed = np.where(clusters == -1, 0, labels)
    assert purity(changed, clusters, num_classes=5) == pytest.approx(found)


@pytest.mark.parametrize(
    ("labels", "num_classes", "message"),
    [([0, 0], 1, "at least 2 classes"), ([0, 2], 2, "from 0 to 1, got 1 others"), ([0, -1], 2, "got 1 others")],
)
def test_labels_that_do_not_fit_are_refused(labels: list[int], num_classes: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        purity(np.array(labels), np.array([0, 0]), num_classes=num_classes)


def test_ranges_are_open_on_the_left_and_closed_on_the_right(caplog: pytest.LogCaptureFixture) -> None:
    assert [f"({low}, {high}]" for low, high in RANGES][::6] == ["(0.3, 0.4]", "(0.9, 1.0]"]
    purities = np.array([0.3, 0.30001, 0.4, 0.5, 0.7, 0.71, 1.0, 0.1])
    with caplog.at_level(logging.WARNING):
        chosen = choose_by_purity(purities, np.arange(10, 18))
    assert [r.clusters for r in chosen] == [(11, 12), (13,), (), (14,), (15,), (), (16,)]
    assert "(0.3, 0.4]: 2" in caplog.text


def test_ten_of_each_range_are_drawn_alike_for_one_seed_only() -> None:
    purities = np.random.default_rng(0).uniform(0.2, 1, 800)
    chosen = choose_by_purity(purities, np.arange(800))
    assert chosen == choose_by_purity(purities, np.arange(800))
    assert chosen != choose_by_purity(purities, np.arange(800), seed=1)
    for r in chosen:
        assert len(set(r.clusters)) == 10
        assert all(r.low < purities[cluster] <= r.high for cluster in r.clusters)
        assert r.num_available == ((purities > r.low) & (purities <= r.high)).sum()
