"""Which concepts of two annotators mean the same activations, and how far that carries.

D-family matching (Cazals, Mazauric, Tetley and Watrigant, Comparing Two Clusterings Using Matchings between Clusters of
Clusters, ACM JEA 2019, doi 10.1145/3345951), as Hamidi-Haines et al. use it in section 4.3.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from qscore.errors import UserError
from qscore.interpretability.naming.families import best_families

UNNAMED = -1


@dataclass(frozen=True)
class Matching:
    """A best matching of two namings.

    Attributes:
        shape: What a matched family may look like, see `match_namings`.
        agreement: Share of the activations named by both whose two concepts are matched; nan where there are none.
        weight: Number of those activations.
        pairs: (concept of the first, concept of the second) of every matched pair, ascending.
        pair_weights: Activations in both concepts, of each pair.
        num_common: Activations named by both.
    """

    shape: str
    agreement: float
    weight: int
    pairs: tuple[tuple[int, int], ...]
    pair_weights: tuple[int, ...]
    num_common: int


def match_namings(
    first: Int[np.ndarray, " activation"],
    second: Int[np.ndarray, " _"],
    *,
    shape: str = "star",
    min_weight: int = 1,
) -> Matching:
    """Returns a best D-family matching of two namings of the same activations.

    The concepts of both are the vertices of a bipartite graph; an edge weighs as many activations as are in both of its
    concepts. The matching parts the vertices into families so that the edges within families weigh most. Exact.

    Args:
        first: Concept of each activation, -1 where it is unnamed.
        second: The same by another annotator, with numbers of its own.
        shape: "one_to_one": families of two (D = 1). "star": one concept and several of the other annotator (the
            paper's words for D = 2: a concept is refined, or several are merged). "diameter": all families of
            diameter 2 (the paper's definition for D = 2), where every concept of one side meets every one of the other;
            where all concepts meet, this is everything, and means nothing.
        min_weight: Edges that weigh less are none; they count in `num_common` all the same.

    Raises:
        UserError: If the namings are of different activations, or the shape is unknown.

    >>> match = match_namings(np.array([0, 0, 0, 1, -1]), np.array([5, 5, 6, 7, 7]), shape="one_to_one")
    >>> match.agreement, match.pairs
    (0.75, ((0, 5), (1, 7)))
    >>> match_namings(np.array([0, 0, 0, 1, -1]), np.array([5, 5, 6, 7, 7]), shape="star").agreement
    1.0
    """
    names, weights = intersections(first, second)
    return _matching(names, weights, shape, min_weight)


def intersections(
    first: Int[np.ndarray, " activation"], second: Int[np.ndarray, " _"]
) -> tuple[tuple[Int[np.ndarray, " u"], Int[np.ndarray, " v"]], Int[np.ndarray, "u v"]]:
    """Returns the concepts of each naming that the other meets, and how many activations are in both of two.

    Raises:
        UserError: If the namings are of different activations.
    """
    if first.shape != second.shape:
        raise UserError(
            f"Expected two namings of the same activations, got {len(first)} and {len(second)}; name both in one study."
        )
    both = (first >= 0) & (second >= 0)
    (u, rows), (v, columns) = (np.unique(side[both], return_inverse=True) for side in (first, second))
    weights = np.zeros((len(u), len(v)), dtype=np.int64)
    np.add.at(weights, (rows, columns), 1)
    return (u, v), weights


def _matching(
    names: tuple[Int[np.ndarray, " u"], Int[np.ndarray, " v"]], weights: Int[np.ndarray, "u v"], shape: str, least: int
) -> Matching:
    chosen = best_families(np.where(weights >= least, weights, 0), shape=shape)
    (u, v), (rows, columns) = names, np.nonzero(chosen)
    weight, total = int(weights[chosen].sum()), int(weights.sum())
    pairs = tuple((int(u[i]), int(v[j])) for i, j in zip(rows, columns, strict=True))
    return Matching(
        shape, weight / total if total else float("nan"), weight, pairs, tuple(weights[chosen].tolist()), total
    )
