"""Fig. 7: the vocabularies of pairs of annotators, matched one to one and in stars."""

from typing import NamedTuple

import numpy as np

from qscore.report.naming.bipartite import bipartite
from qscore.report.naming.families import vocabularies
from qscore.report.naming.study import ONE, SAID, STAR, Namings, Table, number

DRAWN = (ONE, STAR)
WHICH = ("agrees least", "in the middle", "agrees most")


class Picture(NamedTuple):
    """A pair of annotators.

    Attributes:
        title: The group and the annotators.
        drawings: Title and SVG for each shape of families.
    """

    title: str
    drawings: tuple[tuple[str, str], ...]


def examples(namings: Namings) -> list[Picture]:
    """Returns three pairs, as the paper shows: that agree least, in the middle and most, in stars."""
    pairs = np.flatnonzero(namings["pair_common"] > 0)
    order = pairs[np.argsort(namings.of_shape("agreement", STAR)[pairs], kind="stable")].tolist()
    if len(order) < len(WHICH):
        return [_picture(namings, pair) for pair in order]
    chosen = (order[0], order[len(order) // 2], order[-1])
    return [_picture(namings, pair, f" ({which})") for pair, which in zip(chosen, WHICH, strict=True)]


def by_group(namings: Namings) -> list[tuple[str, list[Picture]]]:
    """Returns all pairs of every group."""
    found = [(title, namings.pairs_of(group)) for group, title in enumerate(namings.groups)]
    return [(title, [_picture(namings, pair) for pair in pairs]) for title, pairs in found if pairs]


def edges_csv(namings: Namings) -> Table:
    """Returns every two concepts that share activations."""
    header = ["group", "first", "second", "first_concept", "second_concept", "activations"]
    annotators, names = namings["annotator"].tolist(), namings["concept"].tolist()
    rows = []
    for edge, pair in enumerate(namings["edge_pair"].tolist()):
        about = [namings.groups[int(namings["pair_group"][pair])]]
        about += [str(annotators[place]) for place in namings["pair_annotators"][pair].tolist()]
        about += [str(names[place]) for place in namings["edge_concepts"][edge].tolist()]
        told = [namings["edge_relation"][edge], namings["edge_is_confirmed"][edge]]
        rows.append([*about, *map(str, [namings["edge_weight"][edge], *namings["edge_is_matched"][edge], *told])])
    return [*header, *(f"matched_{shape}" for shape in namings.shapes), "relation", "confirmed"], rows


def _picture(namings: Namings, pair: int, which: str = "") -> Picture:
    title = namings.pair_title(pair)
    drawings = []
    for shape in DRAWN:
        agreement, excess = (float(namings.of_shape(name, shape)[pair]) for name in ("agreement", "excess"))
        said = f"{SAID[shape]}: {number(agreement)}, {number(excess, signed=True)} beyond chance"
        drawings.append((said, bipartite(vocabularies(namings, pair, shape), f"{title}, {said}")))
    return Picture(f"{title}{which}", tuple(drawings))
