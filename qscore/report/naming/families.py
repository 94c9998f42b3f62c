"""What a picture of two vocabularies shows: their concepts, ordered so that matched ones lie side by side."""

from dataclasses import dataclass

from qscore.report.naming.study import Namings


@dataclass(frozen=True)
class Word:
    """A concept in the picture.

    Attributes:
        name: As the annotator wrote it.
        weight: Its activations that both annotators named.
        family: Number of its family, the heaviest 0; None where it is matched with nothing.
    """

    name: str
    weight: int
    family: int | None


@dataclass(frozen=True)
class Ribbon:
    """Activations that are in a concept of each.

    Attributes:
        left, right: Places of the concepts.
        weight: How many.
        family: See `Word`; None where the two are not matched.
        relation: Of the names: "exact", "subset" or "none".
        is_confirmed: Whether a person said so.
    """

    left: int
    right: int
    weight: int
    family: int | None
    relation: str
    is_confirmed: bool


@dataclass(frozen=True)
class Vocabularies:
    """The concepts of two annotators, those of heavy families first."""

    left: tuple[Word, ...]
    right: tuple[Word, ...]
    ribbons: tuple[Ribbon, ...]


def vocabularies(namings: Namings, pair: int, shape: str) -> Vocabularies:
    """Returns the concepts of a pair of annotators with the families of a shape."""
    edges = [edge for edge, owner in enumerate(namings["edge_pair"].tolist()) if owner == pair]
    ends = {edge: tuple(namings["edge_concepts"][edge].tolist()) for edge in edges}
    weight = {edge: int(namings["edge_weight"][edge]) for edge in edges}
    is_matched = {edge: bool(namings["edge_is_matched"][edge, namings.shapes.index(shape)]) for edge in edges}
    family = _families([(ends[edge], weight[edge]) for edge in edges if is_matched[edge]])
    sides = [_ordered({edge: ends[edge][side] for edge in edges}, weight, family) for side in (0, 1)]
    words = [tuple(Word(str(namings["concept"][c]), total, family.get(c)) for c, total in side) for side in sides]
    places = [{concept: place for place, (concept, _) in enumerate(side)} for side in sides]
    ribbons = [
        Ribbon(
            places[0][ends[edge][0]],
            places[1][ends[edge][1]],
            weight[edge],
            family[ends[edge][0]] if is_matched[edge] else None,
            str(namings["edge_relation"][edge]),
            bool(namings["edge_is_confirmed"][edge]),
        )
        for edge in edges
    ]
    return Vocabularies(words[0], words[1], tuple(sorted(ribbons, key=lambda one: (one.left, one.right))))


def _families(matched: list[tuple[tuple[int, ...], int]]) -> dict[int, int]:
    """Number of the family of every matched concept, by falling weight."""
    parts: list[tuple[set[int], int]] = []
    for ends, weight in matched:
        touched = [part for part in parts if part[0] & set(ends)]
        parts = [part for part in parts if part not in touched]
        parts.append((set(ends).union(*(part[0] for part in touched)), weight + sum(part[1] for part in touched)))
    parts.sort(key=lambda part: (-part[1], min(part[0])))
    return {concept: number for number, (concepts, _) in enumerate(parts) for concept in concepts}


def _ordered(ends: dict[int, int], weight: dict[int, int], family: dict[int, int]) -> list[tuple[int, int]]:
    """Concepts of one side with their weights: family by family, heavy ones first, the unmatched at the end."""
    totals: dict[int, int] = {}
    for edge, concept in ends.items():
        totals[concept] = totals.get(concept, 0) + weight[edge]
    return sorted(totals.items(), key=lambda item: (family.get(item[0], len(ends) + 1), -item[1], item[0]))
