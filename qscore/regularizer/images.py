"""Plain images to mine from, out of whatever a loader yields."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, distributed
from torch.utils.data import DataLoader

from qscore.data import ImageDataModule
from qscore.errors import UserError
from qscore.processes import num_processes, own_rank
from qscore.records import ImageBatch
from qscore.score import own_batches

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MiningImages:
    """Images that features are mined from.

    Attributes:
        batches: The images of this process.
        is_share: Whether other processes have other images of the same data set, told apart by their positions.
    """

    batches: Iterable[ImageBatch]
    is_share: bool = False


def mining_images(trainer: Any, given: Iterable[Any] | None) -> MiningImages:
    """Returns the images that features are mined from, on several processes this one's share of them.

    The loader that was given; else the plain images of an `ImageDataModule`; else, with a warning, the first view of
    each batch that the module trains on: augmented views follow another distribution than the images that
    representations are later extracted from. Anything but a `DataLoader` over positions is read whole by every process.
    """
    if given is not None:
        return _share(given)
    datamodule = getattr(trainer, "datamodule", None)
    if isinstance(datamodule, ImageDataModule):
        everything = range(len(datamodule.source("pretrain")))
        own = own_batches(everything, datamodule.batch_size, own_rank(), num_processes())
        return MiningImages(datamodule.plain_loader("pretrain", own), is_share=True)
    log.warning(
        "Mining discriminative features from augmented training views, for want of plain images: pass "
        "QScoreRegularizer(images=LOADER) with un-augmented ones."
    )
    trainer.fit_loop.setup_data()
    return _share(trainer.train_dataloader)


def _share(loader: Iterable[Any]) -> MiningImages:
    if num_processes() == 1 or type(loader) is not DataLoader or loader.batch_sampler is None:
        return MiningImages(_as_images(loader))
    drawn = list(loader.batch_sampler)
    if not all(isinstance(position, Integral) for batch in drawn for position in batch):
        return MiningImages(_as_images(loader))
    batches = _own_batches(drawn)
    own: DataLoader[Any] = DataLoader(
        loader.dataset,
        batch_sampler=batches,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        generator=loader.generator,
    )
    return MiningImages(_as_images(own, batches), is_share=True)


def _own_batches(batches: list[list[int]]) -> list[list[int]]:
    """Returns the batches as they are where each process has others; a share of the first one's where all have all."""
    everybodys: list[list[list[int]]] = [batches] * num_processes()
    distributed.all_gather_object(everybodys, batches)
    contents = [{position for batch in theirs for position in batch} for theirs in everybodys]
    all_have_all = all(content == contents[0] for content in contents)
    return everybodys[0][own_rank() :: num_processes()] if all_have_all else batches


def _as_images(loader: Iterable[Any], positions: Iterable[list[int]] | None = None) -> Iterator[ImageBatch]:
    """Yields the images of batches at the given positions, or one after the other; an `ImageBatch` knows its own."""
    start, known = 0, iter(positions or ())
    for batch in loader:
        given = next(known, None)
        if isinstance(batch, ImageBatch):
            yield batch
            continue
        images = _first_images(batch)
        if images is None:
            raise UserError(
                f"Expected batches with a tensor of images, (sample, 3, height, width), to mine features from; got "
                f"{type(batch).__name__}. Pass QScoreRegularizer(images=LOADER)."
            )
        numbers = torch.arange(start, start + len(images)) if given is None else torch.tensor(given)
        start += len(images)
        yield ImageBatch(images, numbers, torch.ones(len(images), dtype=torch.bool))


def _first_images(batch: Any) -> Tensor | None:
    if isinstance(batch, Tensor):
        return batch if batch.ndim == 4 and batch.is_floating_point() else None
    parts = batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (list, tuple)) else ()
    return next((images for part in parts if (images := _first_images(part)) is not None), None)
