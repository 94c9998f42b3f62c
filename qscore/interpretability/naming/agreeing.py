"""How far every two annotators agree, beside chance, and whether the names of matched concepts say the same."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from jaxtyping import Int

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
Naming = Int[np.ndarray, " activation"]


def find_pairs(
    named: Named, words: Mapping[str, Words], *, num_permutations: int = NUM_PERMUTATIONS, seed: int = 0
) -> Iterator[Pair]:
    """Yields every two annotators of every group that both worked on.

    Args:
        named: What they named.
        words: Judgements on the names of each group.
        num_permutations: Of the baseline; at most `FEW_PERMUTATIONS` where both have many concepts.
        seed: Of the permutations.
    """
    for group, title in enumerate(named.groups):
        namings = named.concept_of[:, named.inside(group)]
        for both in combinations(np.flatnonzero(named.has_named[:, group]).tolist(), 2):
            first, second = namings[both[0]], namings[both[1]]
            matched = {shape: _matching(first, second, shape) for shape in SHAPES}
            edges = tuple(_edges(first, second, named, matched, words[title]))
            agreed = tuple(
                _agreed(
                    first, second, found, [edge for edge in edges if edge.is_matched[place]], num_permutations, seed
                )
                for place, found in enumerate(matched.values())
            )
            num_common = sum(edge.weight for edge in edges)
            yield Pair(group, (both[0], both[1]), num_common, jaccard(first >= 0, second >= 0), agreed, edges)


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


def _agreed(
    first: Naming, second: Naming, found: Matching | None, matched: list[Edge], wanted: int, seed: int
) -> Agreed:
    if found is None or not found.num_common:
        return Agreed()
    exact = sum(edge.weight for edge in matched if edge.relation == EXACT) / found.weight
    compatible = sum(edge.weight for edge in matched if edge.relation != NONE) / found.weight
    num = _num_permutations(first, second, found.shape, wanted)
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
