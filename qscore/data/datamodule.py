"""One data module for all sources: views to train on, plain images to score."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from qscore.data.sources import ImageSource, Splits
from qscore.data.views import EpochSampler, PlainDataset, ViewDataset, evaluation_view, plain_transform
from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.records import ImageBatch, ViewBatch

Split = Literal["pretrain", "train", "test"]


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
    ) -> None:
        super().__init__()
        self.splits, self.views = splits, views
        self.image_size, self.batch_size, self.crop_fraction = image_size, batch_size, crop_fraction
        self.num_workers, self.seed = num_workers, seed
        self._first_epoch = 0

    def train_dataloader(self) -> DataLoader[ViewBatch]:
        """Returns the views of the training images.

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
        world_size = self.trainer.world_size if self.trainer else 1
        return DataLoader(
            ViewDataset(source, self.views, seed=self.seed),
            sampler=EpochSampler(len(source), seed=self.seed, epoch=self._first_epoch),
            batch_size=self.batch_size // world_size,
            drop_last=True,  # BatchNorm and queues need batches of one size
            **self._loader_options(persistent=True),
        )

    def plain_loader(self, split: Split, positions: Sequence[int] | None = None) -> DataLoader[ImageBatch]:
        """Returns plain images in the order of the data set, or those at some positions."""
        transform = plain_transform(self.image_size, crop_fraction=self.crop_fraction)
        return self._in_order(PlainDataset(self.source(split), transform, image_size=self.image_size), positions)

    def augmented_loader(
        self, split: Split, view: int, positions: Sequence[int] | None = None
    ) -> DataLoader[ImageBatch]:
        """Returns one random view of every image or those at some positions; the same whenever it is asked for."""
        transform = evaluation_view(self.image_size)
        dataset = PlainDataset(self.source(split), transform, image_size=self.image_size, view=view)
        return self._in_order(dataset, positions)

    def _in_order(self, dataset: PlainDataset, positions: Sequence[int] | None = None) -> DataLoader[ImageBatch]:
        return DataLoader(
            dataset,
            sampler=positions,
            batch_size=self.batch_size,
            generator=torch.Generator().manual_seed(0),  # else a pass would advance the global random state
            **self._loader_options(persistent=False),
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
