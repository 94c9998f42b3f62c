"""One data module for all sources: views to train on, plain images to score."""

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from qscore.data.augment import DeviceViews, NotBatchedError, PlannedBatch, read_views
from qscore.data.sources import ArrayImages, ImageSource, Splits
from qscore.data.views import EpochSampler, PlainArray, PlainDataset, ViewDataset, evaluation_view, plain_transform
from qscore.errors import UserError, unknown_name
from qscore.files import fingerprint
from qscore.records import ImageBatch

log = logging.getLogger(__name__)

Split = Literal["pretrain", "train", "test"]
AUTO, DEVICE, WORKERS = VIEWS_ON = ("auto", "device", "workers")
GIGABYTE = 10**9


class ImageDataModule(pl.LightningDataModule):
    """Loaders of augmented views (for SSL) and of plain images (for mining and evaluation).

    Args:
        splits: The images.
        views: RGB image to a list of views in [0, 1], the global ones first; None where nothing is trained.
        image_size: Height and width of plain images, in pixels.
        batch_size: Images a step over all devices together.
        crop_fraction: See `plain_transform`.
        num_workers: Processes that load images; 0 loads them in the main process.
        seed: Decides order and augmentations.
        views_on: "device" makes the views of a whole batch where the network is; "workers" makes them one by one, by
            Pillow; "auto" is the former wherever `read_views` understands the transform.
        hue: "hsv", or "yiq": cheaper and not quite the same, see `Jitter`.
        device_budget_gb: The images are kept in the device's memory if they take no more than this, in 10^9 bytes.

    Raises:
        UserError: If an option is unknown, or "device" is asked for and cannot be.
    """

    def __init__(
        self,
        splits: Splits,
        views: Callable[[Image.Image], list[Tensor]] | None = None,
        *,
        image_size: int,
        batch_size: int = 256,
        crop_fraction: float = 1.0,
        num_workers: int = 2,
        seed: int = 0,
        views_on: str = AUTO,
        hue: str = "hsv",
        device_budget_gb: float = 8.0,
    ) -> None:
        super().__init__()
        if views_on not in VIEWS_ON:
            raise unknown_name("value of data.views_on", views_on, VIEWS_ON)
        if hue not in ("hsv", "yiq"):
            raise unknown_name("value of data.hue", hue, ("hsv", "yiq"))
        self.views_on, self.hue, self.device_budget_gb = views_on, hue, device_budget_gb
        self.splits, self.views = splits, views
        self.image_size, self.batch_size, self.crop_fraction = image_size, batch_size, crop_fraction
        self.num_workers, self.seed = num_workers, seed
        self._first_epoch = 0

    def train_dataloader(self) -> DataLoader[Any]:
        """Returns the views of the training images, or, for `on_after_batch_transfer` to make them, their plans.

        Raises:
            UserError: If there are fewer images than one batch takes.
        """
        source = self.splits.pretrain
        if len(source) < self.batch_size:
            raise UserError(
                f"Expected at least batch_size={self.batch_size} images to train on, got {len(source)}; "
                "set a smaller batch_size."
            )
        if self.views is None:
            raise UserError("Expected a transform that makes views, got none; pass views=.")
        world_size, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        options = {
            "sampler": EpochSampler(
                len(source), seed=self.seed, epoch=self._first_epoch, num_replicas=world_size, rank=rank
            ),
            "batch_size": self.batch_size // world_size,
            "drop_last": True,  # BatchNorm and queues need batches of one size
            **self._loader_options(persistent=True),
        }
        if self.device_views is None:
            return DataLoader(ViewDataset(source, self.views, seed=self.seed), **options)
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        dataset = self.device_views.dataset(device)
        if not self.device_views.needs_workers:
            options.update(num_workers=0, persistent_workers=False)
        return DataLoader(dataset, collate_fn=_as_it_is, **options)

    @cached_property
    def device_views(self) -> DeviceViews | None:
        """What makes views in batches; None where the workers make them one by one."""
        if self.views_on == WORKERS or self.views is None:
            return None
        try:
            views = read_views(self.views, yiq=self.hue == "yiq")
            return DeviceViews(self.splits.pretrain, views, self.seed, self.device_budget_gb * GIGABYTE)
        except NotBatchedError as error:
            if self.views_on == DEVICE:
                raise
            log.warning("Views are made one by one: %s", error)
            return None

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Makes the views of a planned batch, on the device of the network."""
        if not isinstance(batch, PlannedBatch) or self.device_views is None:
            return batch
        views = self.device_views.make(batch)
        return self.trainer.precision_plugin.convert_input(views) if self.trainer else views

    def teardown(self, stage: str) -> None:
        """Gives the device's memory back."""
        if self.device_views is not None:
            self.device_views.release()

    def plain_loader(self, split: Split, positions: Sequence[int] | None = None) -> DataLoader[ImageBatch]:
        """Returns plain images in the order of the data set, or those at some positions."""
        transform, source = plain_transform(self.image_size, crop_fraction=self.crop_fraction), self.source(split)
        size = (self.image_size, self.image_size)
        if isinstance(source, ArrayImages) and source.images.shape[1:3] == size and self.crop_fraction == 1:
            array = PlainArray(source, transform, image_size=self.image_size)
            return self._in_order(array, positions, num_workers=0, persistent_workers=False, collate_fn=_as_it_is)
        return self._in_order(PlainDataset(source, transform, image_size=self.image_size), positions)

    def augmented_loader(
        self, split: Split, view: int, positions: Sequence[int] | None = None
    ) -> DataLoader[ImageBatch]:
        """Returns one random view of every image or those at some positions; the same whenever it is asked for."""
        transform = evaluation_view(self.image_size)
        dataset = PlainDataset(self.source(split), transform, image_size=self.image_size, view=view)
        return self._in_order(dataset, positions)

    def _in_order(
        self, dataset: PlainDataset, positions: Sequence[int] | None = None, **options: Any
    ) -> DataLoader[ImageBatch]:
        return DataLoader(
            dataset,
            sampler=positions,
            batch_size=self.batch_size,
            generator=torch.Generator().manual_seed(0),  # else a pass would advance the global random state
            **{**self._loader_options(persistent=False), **options},
        )

    def source(self, split: Split) -> ImageSource:
        """Returns the images of a split."""
        return {"pretrain": self.splits.pretrain, "train": self.splits.train, "test": self.splits.test}[split]

    def fingerprint(self, split: Split) -> str:
        """Returns a fingerprint of the images and of how plain images are made from them."""
        return fingerprint(self.source(split).fingerprint, f"{self.image_size} {self.crop_fraction}")

    def augmented_fingerprint(self, split: Split, view: int) -> str:
        """Returns a fingerprint of the images and of one random view of them."""
        return fingerprint(
            self.source(split).fingerprint, f"{self.image_size} {evaluation_view(self.image_size)} {view}"
        )

    def state_dict(self) -> dict[str, Any]:
        """Keeps the epoch that comes next: a resumed trainer lets workers fetch before it tells the sampler."""
        progress: Any = self.trainer.fit_loop.epoch_progress.current if self.trainer else None
        return {"next_epoch": progress.processed if progress else 0}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._first_epoch = state_dict["next_epoch"]

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Stops the training once too many images have proved unreadable."""
        self.splits.pretrain.check_readable()
        return batch

    def _loader_options(self, *, persistent: bool) -> dict[str, Any]:
        return {
            "num_workers": self.num_workers,
            "pin_memory": torch.cuda.is_available(),
            "persistent_workers": persistent and self.num_workers > 0,
        }


def _as_it_is(batch: Any) -> Any:
    return batch
