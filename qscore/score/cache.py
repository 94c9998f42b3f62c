"""Representations kept on disk: an encoder looks at a split once, however many evaluations ask."""

from pathlib import Path

from qscore.data import ImageDataModule
from qscore.data.datamodule import Split
from qscore.encoders import Encoder
from qscore.files import fingerprint
from qscore.records import Representations
from qscore.score.extract import extract, load_representations, save_representations


def cached_representations(
    encoder: Encoder, data: ImageDataModule, split: Split, folder: Path, *, view: int | None = None
) -> Representations:
    """Returns the representations of a split, from the cache where this very encoder has seen these very images.

    The encoder is compared with itself before and after the pass: an evaluation that moved a weight or a BatchNorm
    statistic would be an error of ours.

    Args:
        encoder: Image to representation.
        data: The images.
        split: Which of them.
        folder: Where files of representations lie; they are named by what decides them.
        view: Number of a random view of each image, see `ImageDataModule.augmented_loader`; None for plain images.

    Raises:
        UserError: If no image, or too few of them, could be read.
    """
    before = encoder.fingerprint()
    images = data.fingerprint(split) if view is None else data.augmented_fingerprint(split, view)
    key = fingerprint(before, images)
    name = split if view is None else f"view{view}-of-{split}"
    path = folder / f"{name}-{key}.safetensors"
    if not path.is_file():
        source = data.source(split)
        representations = extract(
            encoder,
            data.plain_loader(split) if view is None else data.augmented_loader(split, view),
            labels=source.labels,
            ids=source.ids,
            class_names=source.class_names,
            fingerprint=key,
        )
        source.check_readable()
        if encoder.fingerprint() != before:
            raise AssertionError("extracting representations changed the encoder")
        save_representations(representations, path)
    return load_representations(path)
