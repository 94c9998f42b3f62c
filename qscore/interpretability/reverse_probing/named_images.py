"""Namings of held-out images: the clusters of those images are what the names are to explain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.reverse_probing.experts.namings import read_namings
from qscore.records import Representations

NAMINGS, LABELS = "namings:", "labels"
HELD_OUT = "test/"  # as exported: the maps of a naming study are of held-out images


@dataclass(frozen=True)
class OfNamed:
    """What to probe.

    Attributes:
        inputs: With the named images as the training samples, which are clustered and divided to measure.
        notes: What a reader of the numbers must know; none where nothing is changed.
    """

    inputs: EvaluationInputs
    notes: tuple[str, ...] = ()


def of_named(words: Sequence[str], inputs: EvaluationInputs) -> OfNamed:
    """Returns the inputs of a probe with some words: of the held-out images alone that people named, if they did.

    A namings file that knows training images leaves everything as it is, and so do words without namings.

    Args:
        words: See `gather`.
        inputs: Representations.

    Raises:
        UserError: If other words need the images, of which experts know the training ones only, or too few were named.
    """
    files = [word.removeprefix(NAMINGS) for word in words if word.startswith(NAMINGS)]
    ids = {naming.id for file in files for naming in read_namings(Path(file))}
    named = {sample.removeprefix(HELD_OUT) for sample in ids if sample.startswith(HELD_OUT)}
    rows = [row for row, sample in enumerate(inputs.test.ids) if sample in named]
    if not rows or len(named) < len(ids):
        return OfNamed(inputs)
    if others := [word for word in words if word != LABELS and not word.startswith(NAMINGS)]:
        raise UserError(
            f"Expected labels and namings alone, since people named held-out images, got {others[0]} as well; probe "
            "with it apart."
        )
    kept = _rows(inputs.test, rows, HELD_OUT)
    rest = _rows(inputs.train, list(range(len(inputs.train.ids))), "train/")
    note = (
        f"People named {len(rows)} of {len(inputs.test.ids)} held-out images: the clusters are of these, a fifth of "
        "them measures. Few images give few clusters; read the information beside its shuffled row."
    )
    return OfNamed(replace(inputs, train=kept, test=rest, pictures=None), (note,))


def _rows(of: Representations, rows: list[int], prefix: str) -> Representations:
    places = torch.tensor(rows)
    labels = None if of.labels is None else of.labels[places]
    return replace(of, h=of.h[places], labels=labels, ids=tuple(f"{prefix}{of.ids[row]}" for row in rows))
