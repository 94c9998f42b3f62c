"""Where the concepts of a data set come from: its labels, a table, captions, namings, experts that look at it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from qscore.data.datamodule import Split
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.reverse_probing.concepts import make_concepts, of_samples, side_by_side
from qscore.interpretability.reverse_probing.experts.captions import load_captions
from qscore.interpretability.reverse_probing.experts.extraction import name_images
from qscore.interpretability.reverse_probing.experts.known import expert_by_name
from qscore.interpretability.reverse_probing.experts.namings import concepts_of_namings, read_namings
from qscore.interpretability.reverse_probing.tables import EXTENSIONS, load_concepts
from qscore.records import Concepts, Representations

log = logging.getLogger(__name__)

LABELS = "labels"
CAPTIONS, NAMINGS = "captions", "namings"


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


def gather(words: Sequence[str], inputs: EvaluationInputs) -> Gathered:
    """Returns the concepts that some words name, side by side.

    Args:
        words: "labels" (left out with a note where the data has none), a table (.csv, .parquet, .npz),
            "captions:FILE.csv", "namings:FILE.csv", or an expert (see `expert_by_name`).
        inputs: Representations, and the images that experts look at.

    Raises:
        UserError: If nothing is named, a file cannot be read or lacks a training sample, or an expert is not known.
    """
    notes, train, test = list[str](), list[Concepts](), list[Concepts | None]()
    for word in words:
        if word == LABELS and inputs.train.labels is None:
            notes.append("The images have no labels: labels are left out of the concepts.")
            continue
        of_train, of_test = _of_both(word, inputs)
        train.append(of_train)
        test.append(of_test)
        if of_test is None:
            notes.append(f"{word} does not know the held-out samples: no surprise is measured.")
    if not train:
        raise UserError("Expected concepts to probe with, got none; name them: concepts=[labels,colour,FILE.csv].")
    known = [part for part in test if part is not None]
    return Gathered(side_by_side(train), side_by_side(known) if len(known) == len(train) else None, tuple(notes))


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


def _of_both(word: str, inputs: EvaluationInputs) -> tuple[Concepts, Concepts | None]:
    if word == LABELS:
        return labels_as_concepts(inputs.train), labels_as_concepts(inputs.test)
    kind, _, file = word.partition(":")
    if kind == CAPTIONS:
        return _rows(load_captions(Path(file)), inputs)
    if kind == NAMINGS:
        everybody = [*inputs.train.ids, *inputs.test.ids]  # nobody names every image
        return _rows(concepts_of_namings(read_namings(Path(file)), ids=everybody), inputs)
    if Path(word).suffix.lower() in EXTENSIONS:
        return _rows(load_concepts(Path(word)), inputs)
    if inputs.pictures is None:
        raise UserError(f"Expected the images behind the representations for the expert '{word}'; use evaluate.py.")
    data, folder = inputs.pictures.data, inputs.pictures.cache / "concepts"
    expert = expert_by_name(word)

    def named(split: Split, ids: tuple[str, ...]) -> Concepts:
        return of_samples(name_images([expert], data.source(split), folder), ids)

    return named("train", inputs.train.ids), named("test", inputs.test.ids)


def _rows(table: Concepts, inputs: EvaluationInputs) -> tuple[Concepts, Concepts | None]:
    """Those of the training and of the held-out samples; ids that both have are written train/ID and test/ID."""
    train, test = inputs.train.ids, inputs.test.ids
    known = set(table.ids)
    if set(train) & set(test):
        if f"train/{train[0]}" not in known:
            return of_samples(table, train), None
        of_train = of_samples(table, [f"train/{i}" for i in train])
        of_test = [f"test/{i}" for i in test]
        found = replace(of_samples(table, of_test), ids=test) if known.issuperset(of_test) else None
        return replace(of_train, ids=train), found
    return of_samples(table, train), of_samples(table, test) if known.issuperset(test) else None
