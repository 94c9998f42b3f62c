"""How far every two annotators agree, beside chance, and whether the names of matched concepts say the same."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from jaxtyping import Int
from tqdm import tqdm

from qscore.errors import UserError
from qscore.interpretability.naming.chance import NUM_PERMUTATIONS, ChanceAgreement, agreement_beyond_chance
from qscore.interpretability.naming.compatibility import EXACT, NONE, Words, names_of
from qscore.interpretability.naming.coverage import jaccard
from qscore.interpretability.naming.families import SHAPES
from qscore.interpretability.naming.matching import Matching, intersections, match_namings
from qscore.interpretability.naming.named import Named
from qscore.interpretability.naming.pairs import Agreed, Edge, Pair
from qscore.interpretability.naming.small_families import MAX_PARTED, MAX_VERTICES, QUICKLY_PARTED

FEW_PERMUTATIONS = 40  # of many concepts, whose stars take a hundred times as long
MANY_PAIRS, LEAST_PERMUTATIONS = 100, 10  # of more pairs each has fewer: the mean over them is no less certain
Naming = Int[np.ndarray, " activation"]


def find_pairs(
    named: Named, words: Mapping[str, Words], *, num_permutations: int = NUM_PERMUTATIONS, seed: int = 0
) -> Iterator[Pair]:
    """Yields every two annotators of every group that both worked on.

    Args:
        named: What they named.
        words: Judgements on the names of each group.
        num_permutations: Of the baseline; at most `FEW_PERMUTATIONS` where both have many concepts. Over `MANY_PAIRS`
            have all fewer in proportion, but `LEAST_PERMUTATIONS` at least.
        seed: Of the permutations.
    """
    everyone = [
        (group, both)
        for group in range(len(named.groups))
        for both in combinations(np.flatnonzero(named.has_named[:, group]).tolist(), 2)
    ]
    share = min(1.0, MANY_PAIRS / max(1, len(everyone)))
    progress = tqdm(everyone, "Pairs of annotators", unit="pair", leave=False, delay=1, disable=None)
    for group, both in progress:
        inside = named.inside(group)
        first, second = (named.concept_of[place, inside] for place in both)
        matched = {shape: _matching(first, second, shape) for shape in SHAPES}
        edges = tuple(_edges(first, second, named, matched, words[named.groups[group]]))
        agreed = []
        for place, (shape, found) in enumerate(matched.items()):
            most = _num_permutations(first, second, shape, num_permutations)
            num = min(most, max(LEAST_PERMUTATIONS, round(share * most)))
            agreed.append(_agreed(first, second, found, [one for one in edges if one.is_matched[place]], num, seed))
        num_common = sum(edge.weight for edge in edges)
        yield Pair(group, (both[0], both[1]), num_common, jaccard(first >= 0, second >= 0), tuple(agreed), edges)


def _matching(first: Naming, second: Naming, shape: str) -> Matching | None:
    """None where so many concepts meet that families of diameter 2 would take too long."""
    try:
        return match_namings(first, second, shape=shape)
    except UserError:
        return None


def _edges(
    first: Naming, second: Naming, named: Named, matched: Mapping[str, Matching | None], words: Words
) -> Iterator[Edge]:
    (u, v), weights = intersections(first, second)
    for i, j in zip(*np.nonzero(weights), strict=True):
        both = (int(u[i]), int(v[j]))
        one, other = (named.concepts[place].name for place in both)
        is_matched = tuple(found is not None and both in found.pairs for found in matched.values())
        is_confirmed = names_of(one, other) in words.judged
        yield Edge(both, int(weights[i, j]), is_matched, words.relation(one, other), is_confirmed)


def _agreed(first: Naming, second: Naming, found: Matching | None, matched: list[Edge], num: int, seed: int) -> Agreed:
    if found is None or not found.num_common:
        return Agreed()
    exact = sum(edge.weight for edge in matched if edge.relation == EXACT) / found.weight
    compatible = sum(edge.weight for edge in matched if edge.relation != NONE) / found.weight
    chance = _by_chance(first, second, found.shape, num, seed) if num else None
    if chance is None:
        return Agreed(found.agreement, exact=exact, subset=compatible)
    return Agreed(
        chance.agreement, chance.expected, chance.deviation, chance.excess, chance.p_value, exact, compatible, num
    )


def _by_chance(first: Naming, second: Naming, shape: str, num: int, seed: int) -> ChanceAgreement | None:
    """None where shuffled concepts, which meet more often than those of people, would take too long."""
    try:
        return agreement_beyond_chance(first, second, shape=shape, num_permutations=num, seed=seed)
    except UserError:
        return None


def _num_permutations(first: Naming, second: Naming, shape: str, wanted: int) -> int:
    """Shuffled concepts nearly all meet: of many, families of diameter 2 are then out of reach, and stars slow."""
    (u, v), _ = intersections(first, second)
    if shape == "diameter" and min(len(u), len(v)) > MAX_PARTED:
        return 0
    is_slow = len(u) + len(v) > MAX_VERTICES or (shape == "diameter" and min(len(u), len(v)) > QUICKLY_PARTED)
    return min(wanted, FEW_PERMUTATIONS) if is_slow else wanted
