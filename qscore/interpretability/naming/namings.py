"""What an annotator made of activations: concepts with names, what was thrown away, and all the rest left alone.

A file holds the state as it is in the end; how it came about is the page's affair. It has lines of JSON:

    {"format": "qscore naming", "version": 1, "annotator": "eva", "fingerprint": "..."}
    {"kind": "concept", "concept_id": "c1", "group": "cat", "name": "ear", "activations": ["0f3a...", "81bc..."]}
    {"kind": "discarded", "activations": ["77d0..."]}
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from qscore.errors import UserError
from qscore.interpretability.naming.activations import Activations
from qscore.interpretability.naming.lines import read_lines, record_of, write_lines
from qscore.interpretability.naming.matching import UNNAMED

FORMAT, VERSION = "qscore naming", 1
CONCEPT, DISCARDED = "concept", "discarded"


@dataclass(frozen=True)
class Concept:
    """Activations that an annotator put together.

    Attributes:
        concept_id: Unique within the naming.
        group: Class or other group of its activations.
        name: In the annotator's words; may be empty.
        activations: Their ids.
    """

    concept_id: str
    group: str
    name: str
    activations: tuple[str, ...]


@dataclass(frozen=True)
class _Discarded:
    activations: tuple[str, ...]


@dataclass(frozen=True)
class Naming:
    """The naming of one annotator.

    Attributes:
        annotator: Who.
        fingerprint: Of the activations that were named.
        concepts: In the order they were made.
        discarded: Activations that were called noise. In every figure they are unnamed, like those left alone.
    """

    annotator: str
    fingerprint: str
    concepts: tuple[Concept, ...] = ()
    discarded: tuple[str, ...] = ()


def checked(naming: Naming, activations: Activations) -> Naming:
    """Returns a naming that fits its activations.

    Raises:
        UserError: If it is of other activations, or one is nowhere, twice, or in a concept of another group.
    """
    if naming.fingerprint != activations.fingerprint:
        raise UserError(
            f"Expected a naming of the activations {activations.fingerprint}, got one of {naming.fingerprint} by "
            f"{naming.annotator}; take both from one study."
        )
    groups = {activation.activation_id: activation.group for activation in activations.activations}
    used = [*naming.discarded, *(name for concept in naming.concepts for name in concept.activations)]
    wrong = [name for name in used if name not in groups]
    wrong += [name for name, times in Counter(used).items() if times > 1]
    wrong += [n for c in naming.concepts for n in c.activations if groups.get(n, c.group) != c.group]
    if wrong:
        raise UserError(
            f"Expected every activation in one concept of its own group at most, got {wrong[0]} elsewhere in the "
            f"naming of {naming.annotator}."
        )
    if len({concept.concept_id for concept in naming.concepts}) < len(naming.concepts):
        raise UserError(
            f"Expected concepts with ids of their own, got two with one in the naming of {naming.annotator}."
        )
    return naming


def concept_numbers(
    naming: Naming, activations: Activations, *, group: str | None = None
) -> Int[np.ndarray, " activation"]:
    """Returns the place of its concept in the naming for each activation, -1 where it has none.

    Args:
        naming: See `checked`.
        activations: Those of one group, or all of them.
        group: Whose activations; all by default.
    """
    place = {name: number for number, concept in enumerate(naming.concepts) for name in concept.activations}
    wanted = [a for a in activations.activations if group is None or a.group == group]
    return np.array([place.get(a.activation_id, UNNAMED) for a in wanted], dtype=np.int64)


def without_concepts(naming: Naming, concepts: Iterable[int]) -> Naming:
    """Returns a naming without the concepts at some places; their activations are left alone."""
    dropped = set(concepts)
    kept = tuple(concept for number, concept in enumerate(naming.concepts) if number not in dropped)
    return dataclasses.replace(naming, concepts=kept)


def save_naming(naming: Naming, path: Path) -> None:
    """Writes the file, whole or not at all."""
    head = {"format": FORMAT, "version": VERSION, "annotator": naming.annotator, "fingerprint": naming.fingerprint}
    concepts = [{"kind": CONCEPT} | dataclasses.asdict(concept) for concept in naming.concepts]
    write_lines(path, [head, *concepts, {"kind": DISCARDED, "activations": naming.discarded}])


def load_naming(path: Path) -> Naming:
    """Reads what `save_naming` wrote; see `checked` for whether it fits its activations.

    Raises:
        UserFileNotFoundError: If it is not there.
        UserError: If it is another file; with the line.
    """
    head, rows = read_lines(path, FORMAT, VERSION)
    if head.keys() != {"annotator", "fingerprint"}:
        raise UserError(f"Expected annotator and fingerprint in the first line of {path}, got {', '.join(head)}.")
    concepts: list[Concept] = []
    discarded: list[str] = []
    for row, where in rows:
        kind = row.pop("kind", None)
        if kind == CONCEPT:
            concepts.append(record_of(Concept, row, where))
        elif kind == DISCARDED:
            discarded += record_of(_Discarded, row, where).activations
        else:
            raise UserError(f"Expected a concept or what is discarded in {where}, got {kind!r}.")
    return Naming(str(head["annotator"]), str(head["fingerprint"]), tuple(concepts), tuple(discarded))
