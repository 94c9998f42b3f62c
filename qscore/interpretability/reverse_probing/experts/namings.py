"""Concepts that people named: each annotator is a group."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.experts.words import table_of
from qscore.interpretability.reverse_probing.tables.text import named_columns
from qscore.records import Concepts


class Naming(NamedTuple):
    """A concept that an annotator saw in a sample.

    Attributes:
        id: Of the sample.
        annotator: Who.
        concept: What, in the annotator's words; empty where the annotator found no word.
    """

    id: str
    annotator: str
    concept: str


def concepts_of_namings(namings: Iterable[Naming], *, ids: Iterable[str] = ()) -> Concepts:
    """Returns what people named, a group for each; capitals and blanks do not tell two concepts from one another.

    Args:
        namings: In any order; the same twice counts once.
        ids: Samples that may be without a naming.

    Raises:
        UserError: If there is no naming.

    >>> found = concepts_of_namings([Naming("1", "eva", "Long  beak"), Naming("1", "tom", "long beak")])
    >>> found.names, found.groups
    (('long beak', 'long beak'), ('eva', 'tom'))
    """
    said: dict[str, set[tuple[str, str]]] = {}
    for naming in namings:
        of_sample = said.setdefault(naming.id, set())
        if concept := " ".join(naming.concept.casefold().split()):
            of_sample.add((naming.annotator, concept))
    if not any(said.values()):
        raise UserError("Expected namings: an id, an annotator and a concept each; got none.")
    return table_of(said, ids)


def load_namings(path: Path | str) -> Concepts:
    """Returns what people named in a file; see `read_namings` and `concepts_of_namings`."""
    return concepts_of_namings(read_namings(path))


def read_namings(path: Path | str) -> list[Naming]:
    """Returns the namings of a CSV with the columns `id`, `annotator` and `concept`.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If a column is not there, or an id or an annotator is empty.
    """
    return [Naming(*cells) for cells in named_columns(Path(path), Naming._fields, may_be_empty="concept")]
