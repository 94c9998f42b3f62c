"""The heaviest partition of a weighted bipartite graph into families of a shape, exactly."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int, Num
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qscore.errors import unknown_name
from qscore.interpretability.naming.large_families import large_blocks, large_stars
from qscore.interpretability.naming.small_families import MAX_PARTED, MAX_VERTICES, small_blocks, small_stars

SHAPES = ("one_to_one", "star", "diameter")
Members = Int[np.ndarray, " _"]


def best_families(weights: Num[np.ndarray, "u v"], *, shape: str) -> Bool[np.ndarray, "u v"]:
    """Returns the edges within the families of a heaviest partition of the vertices.

    Args:
        weights: Of each edge, >= 0; where it is 0 there is no edge.
        shape: "one_to_one": an edge; "star": a vertex and neighbours of it; "diameter": a complete bipartite block,
            which is what an induced subgraph of diameter 2 is. A single vertex is always a family.

    Raises:
        UserError: If the shape is unknown, or so many vertices are neighbours that "diameter" would take too long.

    >>> best_families(np.array([[3, 2], [2, 0]]), shape="one_to_one").astype(int)
    array([[0, 1],
           [1, 0]])
    >>> best_families(np.array([[3, 2], [1, 0]]), shape="star").astype(int)
    array([[1, 1],
           [0, 0]])
    """
    if shape not in SHAPES:
        raise unknown_name("shape of families", shape, SHAPES)
    chosen = np.zeros(weights.shape, dtype=bool)
    if shape == "one_to_one":
        chosen[linear_sum_assignment(weights, maximize=True)] = True
        return chosen & (weights > 0)
    for rows, columns in _components(weights):
        chosen[np.ix_(rows, columns)] = _best_of_component(weights[np.ix_(rows, columns)], shape)
    return chosen


def _components(weights: Num[np.ndarray, "u v"]) -> Iterator[tuple[Members, Members]]:
    num = len(weights)
    rows, columns = np.nonzero(weights)
    graph = coo_array((np.ones(len(rows)), (rows, columns + num)), shape=(sum(weights.shape),) * 2)
    count, component = connected_components(graph, directed=False)
    for place in range(count):
        found = np.flatnonzero(component == place)
        if len(found) > 1:
            yield found[found < num], found[found >= num] - num


def _best_of_component(weights: Num[np.ndarray, "u v"], shape: str) -> Bool[np.ndarray, "u v"]:
    present = weights > 0
    if min(weights.shape) == 1 or (shape == "diameter" and present.all()):
        return present
    if shape == "star":
        return small_stars(weights) if sum(weights.shape) <= MAX_VERTICES else large_stars(weights)
    if weights.shape[0] > weights.shape[1]:
        return _best_of_component(weights.T, shape).T
    return small_blocks(weights) if len(weights) <= MAX_PARTED else large_blocks(weights)
