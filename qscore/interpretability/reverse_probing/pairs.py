"""Pairs of clusters that a group of concepts tells apart, and the concepts that do it (figs. 5, 8-11)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from qscore.interpretability.reverse_probing.ablation import others
from qscore.interpretability.reverse_probing.concepts import of_groups, side_by_side
from qscore.interpretability.reverse_probing.confusion import Confusions, confusions, holm
from qscore.interpretability.reverse_probing.linear import LinearModel
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.records import Concepts, Grouping

LEVEL = 0.05


@dataclass(frozen=True)
class Pair:
    """Two clusters that are confused less once a group of concepts is known.

    Attributes:
        group: The concepts that were added.
        clusters: Numbers of both in the grouping.
        counts: Test samples of each.
        confusion: conf(i, j) before and after.
        changed: Test samples of either on the right side of the two after only, and before only.
        p: That the group is of no use to this pair, by Holm for all that were tested.
        num_tested: How many pairs that were, over all groups.
        concepts: Of the group, the one that tells most first.
        theta: Coefficient for the first minus that for the second cluster: positive speaks for the first.
    """

    group: str
    clusters: tuple[int, int]
    counts: tuple[int, int]
    confusion: tuple[float, float]
    changed: tuple[int, int]
    p: float
    num_tested: int
    concepts: tuple[str, ...]
    theta: Float[np.ndarray, " concept"]


@dataclass(frozen=True)
class _Group:
    name: str
    concepts: tuple[str, ...]
    model: LinearModel
    found: Confusions


def told_apart(
    concepts: Concepts,
    grouping: Grouping,
    base: Sequence[str],
    prober: Prober,
    *,
    number: int = 0,
    num_pairs: int = 50,
) -> list[Pair]:
    """Returns the pairs of clusters that are confused less with one more group of concepts.

    What is tested, and how, says `confusions`; p speaks of these two probes of this clustering.

    Args:
        concepts: Of all groups.
        grouping: One clustering.
        base: Groups that are always there, such as ("labels",), or none; every other one is added to them alone.
        prober: How to fit.
        number: Of the clustering, which decides on its split.
        num_pairs: How many are wanted.

    Returns:
        Those whose confusion drops, the significant ones (0.05) in front, by how much it drops.

    Raises:
        UserError: If there is no such group.
    """
    prober, below = prober.settled(concepts, [grouping]), of_groups(concepts, base)
    before = prober.probe(below, grouping, number)
    ids, test = before.cluster_ids, before.split.test
    truth = np.searchsorted(ids, grouping.clusters[test])
    of_base = before.model.log_posterior(below.present[test])
    groups = []
    for name in tqdm(others(concepts, base), desc="Pairs told apart", unit="group", leave=False):
        part = of_groups(concepts, [name])
        both = side_by_side([below, part])
        after = prober.probe(both, grouping, number)
        found = confusions(truth, of_base, after.model.log_posterior(both.present[test]))
        model = LinearModel(after.model.weights[len(below.names) :], after.model.bias)
        groups.append(_Group(name, part.names, model, found))
    return _ranked(groups, ids, num_pairs)


def _ranked(groups: Sequence[_Group], ids: Int[np.ndarray, " cluster"], num_pairs: int) -> list[Pair]:
    places = [(group, row) for group in groups for row in range(len(group.found.p))]
    p = holm(np.concatenate([np.zeros(0), *(group.found.p for group in groups)]))
    drops = np.array([group.found.shares[row, 0] - group.found.shares[row, 1] for group, row in places])
    order = [i for i in np.lexsort([-drops, p > LEVEL]) if drops[i] > 0][:num_pairs]
    return [_pair(places[i], ids, float(p[i]), len(p)) for i in order]


def _pair(place: tuple[_Group, int], ids: Int[np.ndarray, " cluster"], p: float, num_tested: int) -> Pair:
    group, row = place
    first, second = (int(code) for code in group.found.pairs[row])
    theta = (group.model.weights[:, first] - group.model.weights[:, second]).cpu().numpy()
    order = np.argsort(-np.abs(theta), kind="stable")
    return Pair(
        group.name,
        (int(ids[first]), int(ids[second])),
        _two(group.found.counts[row]),
        (float(group.found.shares[row, 0]), float(group.found.shares[row, 1])),
        _two(group.found.changed[row]),
        p,
        num_tested,
        tuple(group.concepts[i] for i in order),
        theta[order],
    )


def _two(row: Int[np.ndarray, "2"]) -> tuple[int, int]:
    return int(row[0]), int(row[1])


def as_arrays(pairs: Sequence[Pair], num_concepts: int = 50) -> dict[str, np.ndarray]:
    """Returns what a result file holds of pairs; a group of fewer concepts is filled up with "" and 0."""
    names = np.full((len(pairs), num_concepts), "", dtype=object)
    theta = np.zeros((len(pairs), num_concepts))
    for row, pair in enumerate(pairs):
        shown = pair.concepts[:num_concepts]
        names[row, : len(shown)], theta[row, : len(shown)] = shown, pair.theta[: len(shown)]
    return {
        "pair_group": np.array([pair.group for pair in pairs], dtype=str),
        "pair_clusters": np.array([pair.clusters for pair in pairs], dtype=np.int64).reshape(-1, 2),
        "pair_counts": np.array([pair.counts for pair in pairs], dtype=np.int64).reshape(-1, 2),
        "pair_confusion": np.array([pair.confusion for pair in pairs], dtype=float).reshape(-1, 2),
        "pair_changed": np.array([pair.changed for pair in pairs], dtype=np.int64).reshape(-1, 2),
        "pair_num_tested": np.array([pair.num_tested for pair in pairs], dtype=np.int64),
        "pair_p": np.array([pair.p for pair in pairs], dtype=float),
        "pair_concepts": names.astype(str),
        "pair_theta": theta,
    }
