"""Namings of held-out images: the clusters of those images are what the names are to explain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.clusters import SAMPLES_PER_CLUSTER
from qscore.interpretability.reverse_probing.experts.namings import read_namings
from qscore.records import Representations

NAMINGS, LABELS = "namings:", "labels"
HELD_OUT = "test/"  # as exported: the maps of a naming study are of held-out images
MIN_NAMED = 2 * SAMPLES_PER_CLUSTER


@dataclass(frozen=True)
class OfNamed:
    """What to probe.

    Attributes:
        inputs: With the named images as the training samples, which are clustered and divided to measure; D is still
            that of the images that the encoder was trained on.
        notes: What a reader of the numbers must know; none where nothing is changed.
    """

    inputs: EvaluationInputs
    notes: tuple[str, ...] = ()


def of_named(words: Sequence[str], inputs: EvaluationInputs) -> OfNamed:
    """Returns the inputs of a probe with some words: of the held-out images alone that people named, if they did.

    A namings file that knows training images leaves everything as it is, and so do words without namings. D stays that
    of the training images.

    Args:
        words: See `gather`.
        inputs: Representations.

    Raises:
        UserError: If other words need the images, of which experts know the training ones only, people named images of
            both splits, or fewer than `MIN_NAMED` held-out ones.
    """
    files = [word.removeprefix(NAMINGS) for word in words if word.startswith(NAMINGS)]
    ids = {naming.id for file in files for naming in read_namings(Path(file))}
    held_out = {f"{HELD_OUT}{sample}": row for row, sample in enumerate(inputs.test.ids)}
    rows = sorted(held_out[sample] for sample in ids if sample in held_out)
    others = {sample for sample in ids if not sample.startswith(HELD_OUT)}
    if not rows and (others or not ids):
        return OfNamed(inputs)
    _check(words, rows, sorted(ids), sorted(others))
    kept = _rows(inputs.test, rows, HELD_OUT)
    rest = _rows(inputs.train, list(range(len(inputs.train.ids))), "train/")
    note = (
        f"People named {len(rows)} of {len(inputs.test.ids)} held-out images: the clusters are of these, a fifth of "
        "them measures. Few images give few clusters; read the information beside its shuffled row."
    )
    unknown = sorted(ids - set(held_out))
    lost = f"{len(unknown)} named images, such as {unknown[0]}, are not held out and are left out." if unknown else ""
    found = replace(inputs, train=kept, test=rest, pictures=None)
    found.mined = inputs.mined
    return OfNamed(found, (note, lost) if lost else (note,))


def _check(words: Sequence[str], rows: list[int], ids: list[str], of_training: list[str]) -> None:
    if of_training:
        held_out = next(sample for sample in ids if sample.startswith(HELD_OUT))
        raise UserError(
            f"Expected namings of held-out images or of training images, got both, such as {held_out} and "
            f"{of_training[0]}; probe with each apart."
        )
    if others := [word for word in words if word != LABELS and not word.startswith(NAMINGS)]:
        raise UserError(
            f"Expected labels and namings alone, since people named held-out images, got {others[0]} as well; probe "
            "with it apart."
        )
    if len(rows) < MIN_NAMED:
        raise UserError(
            f"Expected {MIN_NAMED} named images that are held out, two clusters of {SAMPLES_PER_CLUSTER}, got "
            f"{len(rows)} among {len(ids)} ids, such as {ids[0]}; name more, or probe the run that the maps are of."
        )


def _rows(of: Representations, rows: list[int], prefix: str) -> Representations:
    places = torch.tensor(rows)
    labels = None if of.labels is None else of.labels[places]
    return replace(of, h=of.h[places], labels=labels, ids=tuple(f"{prefix}{of.ids[row]}" for row in rows))
