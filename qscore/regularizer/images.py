"""Plain images to mine from, out of whatever a loader yields."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from qscore.data import ImageDataModule
from qscore.errors import UserError
from qscore.records import ImageBatch

log = logging.getLogger(__name__)


def mining_images(trainer: Any, given: Iterable[Any] | None) -> Iterable[ImageBatch]:
    """Returns the images that features are mined from.

    The loader that was given; else the plain images of an `ImageDataModule`; else, with a warning, the first view of
    each batch that the module trains on: augmented views follow another distribution than the images that
    representations are later extracted from.
    """
    if given is not None:
        return _as_images(given)
    datamodule = getattr(trainer, "datamodule", None)
    if isinstance(datamodule, ImageDataModule):
        return datamodule.plain_loader("pretrain")
    log.warning(
        "Mining discriminative features from augmented training views, for want of plain images: pass "
        "QScoreRegularizer(images=LOADER) with un-augmented ones."
    )
    trainer.fit_loop.setup_data()
    return _as_images(trainer.train_dataloader)


def _as_images(loader: Iterable[Any]) -> Iterator[ImageBatch]:
    start = 0
    for batch in loader:
        if isinstance(batch, ImageBatch):
            yield batch
            continue
        images = _first_images(batch)
        if images is None:
            raise UserError(
                f"Expected batches with a tensor of images, (sample, 3, height, width), to mine features from; got "
                f"{type(batch).__name__}. Pass QScoreRegularizer(images=LOADER)."
            )
        positions = torch.arange(start, start + len(images))
        start += len(images)
        yield ImageBatch(images, positions, torch.ones(len(images), dtype=torch.bool))


def _first_images(batch: Any) -> Tensor | None:
    if isinstance(batch, Tensor):
        return batch if batch.ndim == 4 and batch.is_floating_point() else None
    parts = batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (list, tuple)) else ()
    return next((images for part in parts if (images := _first_images(part)) is not None), None)
