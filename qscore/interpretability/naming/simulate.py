"""Annotators made from one naming: they split its concepts, merge them, or err; what comes out is known beforehand."""

import dataclasses
from collections.abc import Callable

import numpy as np

from qscore.errors import UserError, unknown_name
from qscore.interpretability.naming.activations import Activations
from qscore.interpretability.naming.namings import Concept, Naming

Rule = Callable[[Naming, Activations, np.random.Generator, float], tuple[Concept, ...]]


def simulated(
    naming: Naming, activations: Activations, kind: str, annotator: str, *, noise: float = 0.1, seed: int = 0
) -> Naming:
    """Returns the naming of an annotator who is like another but for one habit.

    Args:
        naming: Of the other annotator.
        activations: That it is of.
        kind: "same": no habit. "split": parts every concept of two activations or more in two, at random; stars then
            match everything, and one-to-one the larger halves. "merge": puts two concepts of a group into one.
            "noise": moves activations to another concept of their group, or out of all. "random": shuffles the concepts
            of a group among its named activations.
        annotator: Name of the new one.
        noise: Share of the named activations that "noise" moves.
        seed: Of the draws.

    Raises:
        UserError: If the kind is unknown, or the share is none.
    """
    if kind not in KINDS:
        raise unknown_name("kind of simulated annotator", kind, KINDS)
    if not 0 <= noise <= 1:
        raise UserError(f"Expected a share from 0 to 1 as noise, got {noise}; write 0.1 for 10 %.")
    concepts = KINDS[kind](naming, activations, np.random.default_rng(seed), noise)
    kept = tuple(concept for concept in concepts if concept.activations)
    return dataclasses.replace(naming, annotator=annotator, concepts=kept)


def _same(naming: Naming, _of: Activations, _draws: np.random.Generator, _noise: float) -> tuple[Concept, ...]:
    return naming.concepts


def _split(naming: Naming, _of: Activations, draws: np.random.Generator, _noise: float) -> tuple[Concept, ...]:
    found: list[Concept] = []
    for concept in naming.concepts:
        order = [concept.activations[i] for i in draws.permutation(len(concept.activations))]
        middle = (len(order) + 1) // 2
        for half, (word, part) in enumerate((("large", order[:middle]), ("small", order[middle:]))):
            found.append(Concept(f"{concept.concept_id}-{half}", concept.group, f"{word} {concept.name}", tuple(part)))
    return tuple(found)


def _merge(naming: Naming, _of: Activations, draws: np.random.Generator, _noise: float) -> tuple[Concept, ...]:
    found: list[Concept] = []
    for group in dict.fromkeys(concept.group for concept in naming.concepts):
        own = [concept for concept in naming.concepts if concept.group == group]
        order = [own[i] for i in draws.permutation(len(own))]
        for one, other in zip(order[::2], [*order[1::2], None], strict=False):
            found.append(one if other is None else _merged(one, other))
    return tuple(found)


def _merged(one: Concept, other: Concept) -> Concept:
    name = f"{one.name} and {other.name}"
    return Concept(f"{one.concept_id}+{other.concept_id}", one.group, name, one.activations + other.activations)


def _noise(naming: Naming, _of: Activations, draws: np.random.Generator, noise: float) -> tuple[Concept, ...]:
    members: list[list[str]] = [[] for _ in naming.concepts]
    for place, concept in enumerate(naming.concepts):
        elsewhere = [i for i, c in enumerate(naming.concepts) if c.group == concept.group and i != place]
        for activation in concept.activations:
            moves, where = draws.random() < noise, int(draws.integers(len(elsewhere) + 1))
            if not moves:
                members[place].append(activation)
            elif where < len(elsewhere):
                members[elsewhere[where]].append(activation)
    return _with_members(naming, members)


def _random(naming: Naming, activations: Activations, draws: np.random.Generator, _noise: float) -> tuple[Concept, ...]:
    members: list[list[str]] = [[] for _ in naming.concepts]
    for group in activations.groups:
        own = [(place, name) for place, c in enumerate(naming.concepts) if c.group == group for name in c.activations]
        for (place, _), other in zip(own, draws.permutation(len(own)).tolist(), strict=True):
            members[place].append(own[other][1])
    return _with_members(naming, members)


def _with_members(naming: Naming, members: list[list[str]]) -> tuple[Concept, ...]:
    pairs = zip(naming.concepts, members, strict=True)
    return tuple(dataclasses.replace(concept, activations=tuple(own)) for concept, own in pairs)


KINDS: dict[str, Rule] = {"same": _same, "split": _split, "merge": _merge, "noise": _noise, "random": _random}
