"""Best families of few vertices, by looking at all of them: a baseline of many permutations has to be quick."""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int, Num

MAX_VERTICES = 20  # of stars: a million choices of hubs
_BLOCK = 128
QUICKLY_PARTED = 8  # of blocks, on the smaller side: 4,140 partitions
MAX_PARTED = 10  # 115,975 partitions


def small_stars(weights: Num[np.ndarray, "u v"]) -> Bool[np.ndarray, "u v"]:
    """Returns the edges of the heaviest stars, over all choices of hubs.

    >>> small_stars(np.array([[3, 2], [2, 1]])).sum()
    np.int64(2)
    """
    masks_u, masks_v = (_masks(num) for num in weights.shape)
    # Both sums are one product, of short floats, which are the quick ones: numbers of activations are exact in them.
    of_u = np.hstack([_heaviest_edge(weights, masks_u), ~masks_u]).astype(np.float32)
    of_v = np.hstack([~masks_v, _heaviest_edge(weights.T, masks_v)]).astype(np.float32).T
    best, found = (0, 0), -1.0
    for start in range(0, len(of_u), _BLOCK):  # what fits into a cache
        gains = of_u[start : start + _BLOCK] @ of_v
        place = int(gains.argmax())
        if (most := float(gains.flat[place])) > found:
            best, found = (start + place // len(masks_v), place % len(masks_v)), most
    return stars_of_hubs(weights, masks_u[best[0]], masks_v[best[1]])


def stars_of_hubs(
    weights: Num[np.ndarray, "u v"], hubs_u: Bool[np.ndarray, " u"], hubs_v: Bool[np.ndarray, " v"]
) -> Bool[np.ndarray, "u v"]:
    """Returns the edges where every vertex that is no hub hangs from the hub of its heaviest edge."""
    chosen = np.zeros(weights.shape, dtype=bool)
    for part, edges, hubs, leaves in ((chosen, weights, hubs_u, ~hubs_v), (chosen.T, weights.T, hubs_v, ~hubs_u)):
        to_hubs = np.where(hubs[:, None], edges, 0)
        hanging = np.flatnonzero(leaves & (to_hubs.max(0) > 0))
        part[to_hubs.argmax(0)[hanging], hanging] = True
    return chosen


def small_blocks(weights: Num[np.ndarray, "u v"]) -> Bool[np.ndarray, "u v"]:
    """Returns the edges of the heaviest complete blocks, over all partitions of the vertices u.

    Each v joins, of the sets that it is a neighbour of as a whole, the one that it has the heaviest edges to.
    """
    masks = _masks(len(weights))
    gain = set_gains(weights, masks)
    partitions = _partitions(len(weights))
    best = int(gain[partitions].max(1).sum(1).argmax())
    return blocks_of_sets(weights, masks[partitions[best]])


def set_gains(weights: Num[np.ndarray, "u v"], sets: Bool[np.ndarray, "set u"]) -> Num[np.ndarray, "set v"]:
    """Returns the weight of the edges of v to all of a set; 0 where one is missing."""
    return np.where(sets @ (weights == 0).astype(int) == 0, sets @ weights, 0)


def blocks_of_sets(weights: Num[np.ndarray, "u v"], sets: Bool[np.ndarray, "set u"]) -> Bool[np.ndarray, "u v"]:
    """Returns the edges where every v joins the set, of disjoint ones, that it gains most from."""
    gain = set_gains(weights, sets)
    chosen: Bool[np.ndarray, "u v"] = sets[gain.argmax(0)].T & (gain.max(0) > 0)
    return chosen


def _heaviest_edge(weights: Num[np.ndarray, "u v"], masks: Bool[np.ndarray, "set u"]) -> Num[np.ndarray, "set v"]:
    """Of each v to each set of u."""
    return np.stack([np.where(masks, column, 0).max(1) for column in weights.T], 1)


@lru_cache
def _masks(num: int) -> Bool[np.ndarray, "set u"]:
    """All sets of `num` vertices; the k-th bit of the place says whether vertex k is in it."""
    return (np.arange(2**num)[:, None] >> np.arange(num) & 1).astype(bool)


@lru_cache
def _partitions(num: int) -> Int[np.ndarray, "partition family"]:
    """All partitions of `num` vertices into sets, as places in `_masks`; filled up with the empty set."""
    found = [[0] * num]
    for vertex in range(num):
        found = [
            [*sets[:place], sets[place] | 1 << vertex, *sets[place + 1 :]]
            for sets in found
            for place in range(num)
            if place == 0 or sets[place - 1]  # a new set stands behind all others
        ]
    return np.array(found)
