"""Where the concepts of a data set come from: its labels, a table, captions, namings, experts that look at it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from qscore.data.datamodule import Split
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.installation import command
from qscore.interpretability.reverse_probing.concepts import (
    labels_of,
    listed,
    make_concepts,
    of_samples,
    side_by_side,
    without_silent,
)
from qscore.interpretability.reverse_probing.experts.captions import load_captions
from qscore.interpretability.reverse_probing.experts.extraction import name_images
from qscore.interpretability.reverse_probing.experts.known import expert_by_name
from qscore.interpretability.reverse_probing.experts.namings import concepts_of_namings, load_namings, read_namings
from qscore.interpretability.reverse_probing.tables import EXTENSIONS, load_concepts
from qscore.records import Concepts, Representations

log = logging.getLogger(__name__)

LABELS = "labels"
CAPTIONS, NAMINGS, TABLE = "captions", "namings", "table"
FILES: dict[str, Callable[[Path], Concepts]] = {
    CAPTIONS: load_captions,
    NAMINGS: load_namings,
    TABLE: load_concepts,
}


@dataclass(frozen=True)
class Gathered:
    """Concepts of the training and of the held-out samples.

    Attributes:
        train: In the order of the representations.
        test: Likewise; None where they are not known.
        notes: What a reader of the numbers must know.
    """

    train: Concepts
    test: Concepts | None
    notes: tuple[str, ...]


def gather(words: Sequence[str], inputs: EvaluationInputs, *, prefix: str = "") -> Gathered:
    """Returns the concepts that some words name, side by side.

    Args:
        words: "labels" (left out with a note where the data has none), a table (.csv, .parquet, .npz),
            "captions:FILE.csv", "namings:FILE.csv", or an expert (see `expert_by_name`).
        inputs: Representations, and the images that experts look at.
        prefix: What stands before the ids of these samples in files that speak of several data sets.

    Raises:
        UserError: If nothing is named, a file cannot be read or lacks a training sample, or an expert is not known.
    """
    notes, train, test = list[str](), list[Concepts](), list[Concepts | None]()
    for word in words:
        if word == LABELS and inputs.train.labels is None:
            notes.append("The images have no labels: labels are left out of the concepts.")
            continue
        of_train, of_test = _of_both(word, inputs, prefix)
        train.append(of_train)
        test.append(of_test)
        if of_test is None:
            notes.append(f"{word} does not know the held-out samples: no surprise is measured.")
    if not train:
        raise UserError("Expected concepts to probe with, got none; name them: concepts=[labels,colour,FILE.csv].")
    known = [part for part in test if part is not None]
    return Gathered(side_by_side(train), side_by_side(known) if len(known) == len(train) else None, tuple(notes))


def check_words(words: Sequence[str]) -> None:
    """Looks whether what the words name can be had, before any image is.

    Raises:
        UserError: If a file is not there or cannot be read, or an expert is not known.
    """
    for word in words:
        kind, file = _parted(word)
        if kind in FILES:
            FILES[kind](file)
        elif word != LABELS:
            expert_by_name(word)


def labels_as_concepts(representations: Representations) -> Concepts:
    """Returns one concept a class.

    Raises:
        UserError: If the samples have no labels.
    """
    if representations.labels is None:
        raise UserError("Expected labelled images for the concepts 'labels', got none; leave them out of concepts=.")
    classes = np.arange(len(representations.class_names))
    present = representations.labels.numpy()[:, None] == classes
    return make_concepts(present, representations.class_names, LABELS, representations.ids)


def _parted(word: str) -> tuple[str, Path]:
    kind, _, file = word.partition(":")
    if kind in (CAPTIONS, NAMINGS):
        return kind, Path(file)
    return TABLE if Path(word).suffix.lower() in EXTENSIONS else "", Path(word)


def _of_both(word: str, inputs: EvaluationInputs, prefix: str) -> tuple[Concepts, Concepts | None]:
    kind, file = _parted(word)
    if word == LABELS:
        return labels_as_concepts(inputs.train), labels_as_concepts(inputs.test)
    if kind == NAMINGS:
        namings = read_namings(file)
        train, test = written_ids(inputs, prefix, {naming.id for naming in namings})
        return _rows(
            concepts_of_namings(namings, ids=[*train, *(test or ())]), inputs, prefix
        )  # nobody names every image
    if kind in FILES:
        return _rows(FILES[kind](file), inputs, prefix)
    if inputs.pictures is None:
        raise UserError(
            f"Expected the images behind the representations for the expert '{word}'; use {command('evaluate')}."
        )
    data, folder = inputs.pictures.data, inputs.pictures.cache / "concepts"
    expert = expert_by_name(word)

    def named(split: Split, ids: tuple[str, ...]) -> Concepts:
        return of_samples(name_images([expert], data.source(split), folder), ids)

    return named("train", inputs.train.ids), named("test", inputs.test.ids)


def _rows(table: Concepts, inputs: EvaluationInputs, prefix: str) -> tuple[Concepts, Concepts | None]:
    """Those of the training and of the held-out samples; None where a held-out one is not known."""
    known = set(table.ids)
    train, test = written_ids(inputs, prefix, known)
    of_train = replace(of_samples(table, train), ids=inputs.train.ids)
    if silent := sorted(set(labels_of(table)).difference(labels_of(without_silent(of_train)))):
        log.warning("%d concepts apply to no training sample: %s.", len(silent), listed(silent))
    if test is None or not known.issuperset(test):
        return of_train, None
    return of_train, replace(of_samples(table, test), ids=inputs.test.ids)


def written_ids(inputs: EvaluationInputs, prefix: str, known: set[str]) -> tuple[list[str], list[str] | None]:
    """Returns how a file that knows some ids writes those of training and held-out samples.

    As train/ID and test/ID where both parts share ids; if it writes plain ones there, they are of training.
    """
    train, test = ([f"{prefix}{i}" for i in part.ids] for part in (inputs.train, inputs.test))
    if not set(train) & set(test):
        return train, test
    apart = [
        [f"{prefix}{name}/{i}" for i in part.ids] for name, part in (("train", inputs.train), ("test", inputs.test))
    ]
    return (apart[0], apart[1]) if known.intersection(apart[0]) else (train, None)
