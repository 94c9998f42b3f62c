"""What holds of every split, whatever the clusters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qscore.interpretability.reverse_probing.split import TEST, VALIDATION, Split, stratified_split

CLUSTERS = st.lists(st.integers(-1, 12), min_size=1, max_size=200).map(np.array)


@settings(max_examples=200, deadline=None)
@given(CLUSTERS, st.integers(0, 2**32 - 1))
def test_parts_are_disjoint_and_complete_and_every_cluster_is_trained_on(clusters: np.ndarray, seed: int) -> None:
    split = stratified_split(clusters, seed)
    every = np.concatenate([split.train, split.validation, split.test])
    assert np.array_equal(np.sort(every), np.flatnonzero(clusters >= 0))
    assert set(clusters[split.train]) == set(clusters[clusters >= 0])
    assert all(np.array_equal(part, np.sort(part)) for part in (split.train, split.validation, split.test))
    sizes = np.bincount(clusters[clusters >= 0], minlength=1)
    assert split.num_alone == (sizes == 1).sum()


@settings(max_examples=200, deadline=None)
@given(CLUSTERS, st.integers(0, 2**32 - 1))
def test_shares_are_kept_within_a_sample_in_each_cluster_and_in_all(clusters: np.ndarray, seed: int) -> None:
    split = stratified_split(clusters, seed)
    for part, pool, share in (
        (split.test, np.flatnonzero(clusters >= 0), TEST),
        (split.validation, np.union1d(split.train, split.validation), VALIDATION),
    ):
        several = np.isin(clusters[pool], [k for k in range(13) if (clusters[pool] == k).sum() > 1])
        assert abs(len(part) - share * several.sum()) < 1 + 1e-9
        for k in np.unique(clusters[pool][several]):
            assert abs((clusters[part] == k).sum() - share * (clusters[pool] == k).sum()) < 1 + 1e-9


def test_a_seed_repeats_and_another_one_differs() -> None:
    clusters = np.arange(500) % 7

    def parts(split: Split) -> list[list[int]]:
        return [part.tolist() for part in (split.train, split.validation, split.test)]

    assert parts(stratified_split(clusters, 1)) == parts(stratified_split(clusters, 1))
    assert parts(stratified_split(clusters, 1)) != parts(stratified_split(clusters, 2))


def test_every_sample_is_tested_on_equally_often() -> None:
    clusters = np.repeat([0, 1, 2], [2, 3, 95])
    times = np.zeros(100)
    for seed in range(2000):
        times[stratified_split(clusters, seed).test] += 1
    standard_error = np.sqrt(TEST * (1 - TEST) / 2000)
    assert np.abs(times / 2000 - TEST).max() < 5 * standard_error
