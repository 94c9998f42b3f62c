"""Namings as concepts of samples: how much of an encoder people's words explain is a question of reverse probing."""

import csv
from collections.abc import Iterable
from pathlib import Path

from qscore.errors import UserError
from qscore.files import written_whole
from qscore.interpretability.naming.activations import Activations
from qscore.interpretability.naming.namings import Naming, checked
from qscore.interpretability.reverse_probing.experts.namings import Naming as Said


def said_of_samples(namings: Iterable[Naming], activations: Activations) -> list[Said]:
    """Returns which annotator saw which concept in which sample, each once, in the order of the activations.

    Concepts without a name say nothing. A sample of which an annotator named nothing comes with no word: that it was
    looked at is known.

    Raises:
        UserError: If a naming is of other activations, or two are by one annotator.
    """
    found, annotators = [], set()
    for naming in namings:
        names = {a: c.name.strip() for c in checked(naming, activations).concepts for a in c.activations}
        if naming.annotator in annotators:
            raise UserError(
                f"Expected one naming of each annotator, got two of {naming.annotator}; give them two names."
            )
        annotators.add(naming.annotator)
        words: dict[str, dict[str, None]] = {}
        for activation in activations.activations:
            of_sample = words.setdefault(activation.sample, {})
            if name := names.get(activation.activation_id):
                of_sample[name] = None
        found += [Said(sample, naming.annotator, word) for sample, said in words.items() for word in said or {"": None}]
    return found


def export_namings(namings: Iterable[Naming], activations: Activations, path: Path) -> None:
    """Writes a CSV with the columns `id`, `annotator` and `concept`, which `read_namings` of reverse probing reads."""
    rows = said_of_samples(namings, activations)
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([Said._fields, *rows])
