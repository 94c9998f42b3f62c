"""Exported namings, checked once: every activation is in one place at most, every annotator once in a group."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from qscore.errors import UserError
from qscore.interpretability.naming.coverage import without_small_concepts
from qscore.interpretability.naming.matching import UNNAMED
from qscore.interpretability.naming.named import Concept, Named

Record = Mapping[str, Any]
FACTS = ("activation_id", "group", "image", "feature")


@dataclass(frozen=True)
class _Facts:
    """Columns of the facts of all activations; groups and images once each, in the order they come."""

    ids: list[str]
    group_of: Int[np.ndarray, " activation"]
    image_of: Int[np.ndarray, " activation"]
    features: list[str]
    groups: list[str]
    images: list[str]


def read_named(records: Iterable[Record], activations: Iterable[Record]) -> Named:
    """Returns what annotators named, without small concepts.

    Args:
        records: Of an annotator and a group each, as `python -m qscore.study export` writes them.
        activations: Facts of every activation: those of `FACTS`.

    Raises:
        UserError: If nobody named anything, a fact is missing, an activation is unknown or in two places, or an
            annotator comes twice in a group.
    """
    facts, given = _facts(activations), list(records)
    if not given:
        raise UserError("Expected annotators who named something, got none; ask people first.")
    if wrong := [record for record in given if not _is_naming(record)]:
        raise UserError(
            "Expected annotator, group and concepts, each of a name and members, in every naming, got "
            f"{str(dict(wrong[0]))[:80]}; export the namings again."
        )
    annotators = list(dict.fromkeys(str(record["annotator"]) for record in given))
    concept_of = np.full((len(annotators), len(facts.ids)), UNNAMED, np.int64)
    discarded = np.zeros(concept_of.shape, bool)
    has_named, is_done = np.zeros((2, len(annotators), len(facts.groups)), bool)
    concepts: list[Concept] = []
    for record in given:
        who, group = annotators.index(str(record["annotator"])), _group(record, facts.groups)
        if has_named[who, group]:
            raise UserError(f"Expected one naming of an annotator in a group, got two of {annotators[who]}.")
        has_named[who, group], is_done[who, group] = True, bool(record.get("done", True))
        *members, thrown = _places(record, facts, group)
        for concept, own in zip(record["concepts"], members, strict=True):
            concept_of[who, own] = len(concepts)
            concepts.append(Concept(who, group, str(concept["name"]), len(own), len(np.unique(facts.image_of[own]))))
        discarded[who, thrown] = True
    return Named(
        groups=tuple(facts.groups),
        annotators=tuple(annotators),
        activations=tuple(facts.ids),
        group_of=facts.group_of,
        image_ids=tuple(facts.images),
        image_of=facts.image_of,
        features=tuple(facts.features),
        concepts=tuple(concepts),
        concept_of=np.stack([without_small_concepts(naming, facts.image_of) for naming in concept_of]),
        discarded=discarded,
        has_named=has_named,
        is_done=is_done,
    )


def _is_naming(record: Record) -> bool:
    if not {"annotator", "group", "concepts"} <= record.keys():
        return False
    concepts, discarded = record["concepts"], record.get("discarded", ())
    if not isinstance(concepts, list) or not isinstance(discarded, list | tuple):
        return False
    return all(isinstance(one, dict) and isinstance(one.get("members"), list) and "name" in one for one in concepts)


def _facts(activations: Iterable[Record]) -> _Facts:
    rows = list(activations)
    if missing := [name for name in FACTS if any(name not in row for row in rows)]:
        raise UserError(f"Expected {', '.join(FACTS)} of every activation, got one without {missing[0]}.")
    texts = {name: [str(row[name]) for row in rows] for name in FACTS}
    groups, images = (list(dict.fromkeys(texts[name])) for name in ("group", "image"))
    if len(set(texts["activation_id"])) < len(rows) or not rows:
        raise UserError("Expected facts of every activation once, got none, or one twice; make the maps again.")
    group_of, image_of = (
        np.array([place[name] for name in column], np.int64)
        for place, column in (
            ({name: i for i, name in enumerate(groups)}, texts["group"]),
            ({name: i for i, name in enumerate(images)}, texts["image"]),
        )
    )
    return _Facts(texts["activation_id"], group_of, image_of, texts["feature"], groups, images)


def _group(record: Record, groups: list[str]) -> int:
    if str(record["group"]) not in groups:
        raise UserError(f"Expected namings of the groups {', '.join(groups[:8])}, got one of '{record['group']}'.")
    return groups.index(str(record["group"]))


def _places(record: Record, facts: _Facts, group: int) -> list[list[int]]:
    """Places of the activations of every concept, and at the end of those discarded."""
    inside = {facts.ids[place]: int(place) for place in np.flatnonzero(facts.group_of == group)}
    said = [concept["members"] for concept in record["concepts"]] + [record.get("discarded", ())]
    times = Counter(str(one) for members in said for one in members)
    wrong = [one for one, count in times.items() if count > 1 or one not in inside]
    if wrong:
        raise UserError(
            f"Expected every activation of '{record['group']}' in one place at most, got {wrong[0]} elsewhere in the "
            f"naming of annotator {record['annotator']}."
        )
    return [[inside[str(one)] for one in members] for members in said]
