"""Representations kept on disk: an encoder looks at a split once, however many evaluations ask."""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from filelock import FileLock

from qscore.data import ImageDataModule
from qscore.data.datamodule import Split
from qscore.data.sources import ImageSource
from qscore.encoders import Encoder
from qscore.files import fingerprint
from qscore.records import ImageBatch, Representations
from qscore.score.extract import number_format
from qscore.score.loops import Loop, PredictLoop, wait
from qscore.score.shards import Shards
from qscore.score.storage import load_representations
from qscore.score.work import Work


def cached_representations(
    encoder: Encoder,
    data: ImageDataModule,
    split: Split,
    folder: Path,
    *,
    view: int | None = None,
    loop: Loop | None = None,
) -> Representations:
    """Returns the representations of a split, from the cache where this very encoder has seen these very images.

    While the encoder works, shards are written into a folder `.partial` beside the file; where that was interrupted,
    it goes on with the images that are missing. Of several processes that ask for the same file, in one training or in
    several, one set works and the others wait. The encoder is compared with itself before and after the pass: an
    evaluation that moved a weight or a BatchNorm statistic would be an error of ours.

    Args:
        encoder: Image to representation.
        data: The images.
        split: Which of them.
        folder: Where files of representations lie; they are named by what decides them. "pretrain" shares the file of
            "train" where these are the same images.
        view: Number of a random view of each image, see `ImageDataModule.augmented_loader`; None for plain images.
        loop: What runs the encoder; by default Lightning's predict loop on the encoder's device.

    Raises:
        UserError: If no image, or too few of them, could be read.
    """
    before, loop = encoder.fingerprint(), loop or PredictLoop()
    images = data.fingerprint(split) if view is None else data.augmented_fingerprint(split, view)
    shared: Split = "train" if view is None and images == data.fingerprint("train") else split
    computed_in = number_format(loop.device(encoder))
    key = fingerprint(before, images, *([] if computed_in == "float32" else [computed_in]))
    name = f"{shared if view is None else f'view{view}-of-{split}'}-{key}"
    path = folder / f"{name}.safetensors"
    if loop.num == 1 and path.is_file():
        return load_representations(path)

    def loader(positions: list[int]) -> Iterable[ImageBatch]:
        return data.plain_loader(split, positions) if view is None else data.augmented_loader(split, view, positions)

    source = data.source(split)
    work = Work(len(source), data.batch_size, loader, Shards(folder / f"{name}.partial", key))
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock") if loop.rank == 0 else nullcontext():
        wait(loop)  # for the lock
        is_there = path.is_file()
        if loop.rank == 0 and not is_there:
            work.shards.forget_unreadable()
        wait(loop)  # before the first process can change the answer
        if not is_there:
            loop.run(encoder, work)
            if encoder.fingerprint() != before:
                raise AssertionError("extracting representations changed the encoder")
            _merge(work.shards, source, path, loop)
    return load_representations(path)


def _merge(shards: Shards, source: ImageSource, path: Path, loop: Loop) -> None:
    wait(loop)  # for the shards of all
    shards.check_any()
    positions, readable = shards.found()
    for position in positions[~readable].tolist():
        source.image(position)  # another process may have been the one that could not read it
    source.check_readable()
    wait(loop)  # nobody looks into the shards any more
    if loop.rank == 0:
        shards.merge(path, labels=source.labels, ids=source.ids, class_names=source.class_names)
    wait(loop)
