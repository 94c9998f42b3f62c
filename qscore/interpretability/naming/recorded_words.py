"""Exported namings as a group of concepts for reverse probing: how much of an encoder people's words explain."""

import csv
from collections.abc import Iterable
from pathlib import Path

from qscore.errors import UserError
from qscore.files import written_whole
from qscore.interpretability.naming.activations import Activation, Activations
from qscore.interpretability.naming.export import said_of_samples
from qscore.interpretability.naming.namings import Concept, Naming
from qscore.interpretability.naming.records import Record
from qscore.interpretability.reverse_probing.experts.namings import Naming as Said
from qscore.interpretability.reverse_probing.named_images import HELD_OUT

RECORDED = "recorded"


def words_of_records(records: Iterable[Record], activations: Iterable[Record]) -> list[Said]:
    """Returns which annotator saw which concept in which image of the groups that they worked on.

    Args:
        records: Of an annotator and a group each, as `python -m qscore.study export` writes them.
        activations: Facts of every activation: activation_id, group and image.

    Raises:
        UserError: If there is no naming, or one does not fit the activations.
    """
    facts, by_annotator = list(activations), dict[str, list[Record]]()
    for record in records:
        by_annotator.setdefault(str(record["annotator"]), []).append(record)
    if not by_annotator:
        raise UserError("Expected annotators who named something, got none; ask people first.")
    found = []
    for annotator, own in by_annotator.items():
        groups = {str(record["group"]) for record in own}
        seen = _activations([fact for fact in facts if str(fact["group"]) in groups])
        found += said_of_samples([_naming(annotator, own)], seen)
    return found


def export_words(
    records: Iterable[Record], activations: Iterable[Record], path: Path, *, are_held_out: bool = True
) -> int:
    """Writes a CSV that `read_namings` of reverse probing reads; returns how many concepts it has.

    Held-out images are written as `test/ID`, since some data number both parts alike; training images plainly.

    Raises:
        UserError: See `words_of_records`.
    """
    rows, prefix = words_of_records(records, activations), HELD_OUT if are_held_out else ""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [Said._fields, *(row._replace(id=f"{prefix}{row.id}") for row in rows)]
        )
    return len({(row.annotator, row.concept.casefold()) for row in rows if row.concept})


def _activations(facts: list[Record]) -> Activations:
    """Those of a study, of which only id, image and group matter here."""
    return Activations(
        tuple(Activation(str(f["activation_id"]), str(f["image"]), str(f["group"]), 0, 0.0, 0.0) for f in facts),
        source=RECORDED,
        fingerprint=RECORDED,
    )


def _naming(annotator: str, records: list[Record]) -> Naming:
    said = [(str(record["group"]), concept) for record in records for concept in record["concepts"]]
    concepts = [
        Concept(f"c{number}", group, str(concept["name"]), tuple(str(one) for one in concept["members"]))
        for number, (group, concept) in enumerate(said)
    ]
    return Naming(annotator, RECORDED, tuple(concepts))
