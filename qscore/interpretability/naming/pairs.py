"""Two annotators of one group: what both named, how far it agrees, and whether their names bear it out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Agreed:
    """How far a pair agrees in one shape of families; NaN where that is not defined, or takes too long.

    Attributes:
        agreement: See `Matching`.
        expected: The same by chance, see `ChanceAgreement`.
        deviation: Of that by chance.
        excess: Of the agreement.
        p_value: See `ChanceAgreement`.
        exact: Share of the matched activations whose names mean the same.
        subset: That, or one means part of the other.
        num_permutations: Behind `expected`.
    """

    agreement: float = float("nan")
    expected: float = float("nan")
    deviation: float = float("nan")
    excess: float = float("nan")
    p_value: float = float("nan")
    exact: float = float("nan")
    subset: float = float("nan")
    num_permutations: int = 0


@dataclass(frozen=True)
class Edge:
    """Activations that are in a concept of each of two annotators.

    Attributes:
        concepts: Places of both.
        weight: How many.
        is_matched: In each of `SHAPES`.
        relation: Of the names: "exact", "subset" or "none".
        is_confirmed: Whether a person said so.
    """

    concepts: tuple[int, int]
    weight: int
    is_matched: tuple[bool, ...]
    relation: str
    is_confirmed: bool


@dataclass(frozen=True)
class Pair:
    """Two annotators of one group.

    Attributes:
        group: Place of the group.
        annotators: Places of both.
        num_common: Activations that both named.
        jaccard: Of the activations that each named.
        agreed: In each of `SHAPES`.
        edges: Of the graph that is matched.
    """

    group: int
    annotators: tuple[int, int]
    num_common: int
    jaccard: float
    agreed: tuple[Agreed, ...]
    edges: tuple[Edge, ...]
