"""Best families of many vertices, by integer programs whose relaxation is nearly whole already."""

import numpy as np
from jaxtyping import Bool, Int, Num
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from qscore.errors import UserError
from qscore.interpretability.naming.small_families import blocks_of_sets, set_gains, stars_of_hubs

Places = Int[np.ndarray, " _"]
MAX_SETS = 2**14  # of more, programs take minutes and mostly end without an answer
TIME_LIMIT_S = 10.0


def large_stars(weights: Num[np.ndarray, "u v"]) -> Bool[np.ndarray, "u v"]:
    """Returns the edges of the heaviest stars.

    Every vertex may be a hub, and one that is none hangs from one hub at most: the classical program of facility
    location.

    Raises:
        UserError: If it would take too long.
    """
    (i, j), (num_u, num_v) = np.nonzero(weights), weights.shape
    num, vertices, edges = num_u + num_v, np.arange(num_u + num_v), np.arange(2 * len(i))
    leaves, hubs = np.concatenate([num_u + j, i]), np.concatenate([i, num_u + j])
    shape = len(edges) + num
    from_a_hub = _rows((edges, num + edges, 1), (edges, hubs, -1), shape=(len(edges), shape))
    from_one = _rows((leaves, num + edges, 1), (vertices, vertices, 1), shape=(num, shape))
    gain = np.concatenate([weights[i, j], weights[i, j]])
    chosen = _chosen(num, gain, [LinearConstraint(from_a_hub, ub=0), LinearConstraint(from_one, ub=1)])
    return stars_of_hubs(weights, chosen[:num_u], chosen[num_u:])


def large_blocks(weights: Num[np.ndarray, "u v"]) -> Bool[np.ndarray, "u v"]:
    """Returns the edges of the heaviest complete blocks.

    Sets of vertices u with a neighbour in common may be chosen; those that are, are disjoint, and each v joins one of
    them. Rules on the four edges of a block would be fewer, and their relaxation too loose: 20 x 20 concepts with 120
    edges take minutes by those, a second by these.

    Raises:
        UserError: If it would take too long.
    """
    present = weights > 0
    if _num_sets(present.T) < _num_sets(present):
        return large_blocks(weights.T).T
    sets = _sets_with_a_neighbour(present)
    gain = set_gains(weights, sets)
    which, v = np.nonzero(gain)
    members, u = np.nonzero(sets)
    num, joins = len(sets), np.arange(len(v))
    shape = num + len(v)
    disjoint = _rows((u, members, 1), shape=(len(weights), shape))
    one_each = _rows((v, num + joins, 1), shape=(weights.shape[1], shape))
    if_chosen = _rows((joins, num + joins, 1), (joins, which, -1), shape=(len(v), shape))
    rules = [LinearConstraint(disjoint, ub=1), LinearConstraint(one_each, ub=1), LinearConstraint(if_chosen, ub=0)]
    return blocks_of_sets(weights, sets[_chosen(num, gain[which, v], rules)])


def _num_sets(present: Bool[np.ndarray, "u v"]) -> float:
    """At most so many sets of vertices u have a neighbour in common."""
    return float((2.0 ** present.sum(0)).sum())


def _sets_with_a_neighbour(present: Bool[np.ndarray, "u v"]) -> Bool[np.ndarray, "set u"]:
    if _num_sets(present) > MAX_SETS:
        raise _too_dense()
    found: set[int] = set()
    for column in present.T:
        masks = [0]
        for member in np.flatnonzero(column).tolist():
            masks += [mask | 1 << member for mask in masks]
        found.update(masks[1:])
    return np.array([[bool(mask >> place & 1) for place in range(len(present))] for mask in sorted(found)])


def _chosen(num: int, gain: Num[np.ndarray, " _"], rules: list[LinearConstraint]) -> Bool[np.ndarray, " _"]:
    """Which of the first `num` variables are 1; the others, which alone gain something, follow from them."""
    costs, whole = np.concatenate([np.zeros(num), -gain]), np.concatenate([np.ones(num), np.zeros(len(gain))])
    limits = {"time_limit": TIME_LIMIT_S, "mip_rel_gap": 0}
    solution = milp(costs, constraints=rules, bounds=Bounds(0, 1), integrality=whole, options=limits)
    if solution.status != 0:
        raise _too_dense()
    return np.asarray(solution.x[:num].round().astype(bool))


def _too_dense() -> UserError:
    return UserError(
        "Expected concepts of which few meet by chance, got so many pairs with a common activation that no best "
        "matching can be found in time; set min_weight to 2 or more, or leave shape='diameter' out."
    )


def _rows(*entries: tuple[Places, Places, int], shape: tuple[int, int]) -> coo_array:
    """A matrix from rows, columns and their value."""
    values = np.concatenate([np.full(len(rows), value) for rows, _, value in entries])
    places = tuple(np.concatenate([entry[axis] for entry in entries]) for axis in (0, 1))
    return coo_array((values, places), shape=shape)
