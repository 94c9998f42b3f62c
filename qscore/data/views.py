"""The two ways to read an image source: augmented views for SSL, plain images for scoring."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler
from torchvision.transforms import v2

from qscore.data.augment import channels_first
from qscore.data.sources import ArrayImages, ImageSource, readable_image
from qscore.records import NUM_GLOBAL_VIEWS, ImageBatch, ViewBatch


class EpochSampler(DistributedSampler[int]):
    """Every image once an epoch, in an order that depends on the seed and the epoch alone.

    Yields `epoch * num_images + position`, so that the data set knows the epoch in every worker process. A
    resumed run therefore sees the same views in the same order as one that was never interrupted. Of several
    processes each takes every n-th image of that order, so that a batch of all of them is a batch of one; Lightning
    leaves a `DistributedSampler` as it is.

    Args:
        num_images: Number of images over all processes.
        seed: Decides the order.
        epoch: The first epoch.
        num_replicas: Number of processes.
        rank: Which of them this one is.
    """

    def __init__(self, num_images: int, *, seed: int, epoch: int = 0, num_replicas: int = 1, rank: int = 0) -> None:
        super().__init__(cast(Dataset[int], range(num_images)), num_replicas, rank, seed=seed, drop_last=True)
        self.num_images, self.epoch = num_images, epoch

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at the start of each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.num_images)
        own = order[self.rank :: self.num_replicas][: len(self)]
        return iter((self.epoch * self.num_images + own).tolist())

    def __len__(self) -> int:
        return self.num_images // self.num_replicas


class ViewDataset(Dataset[ViewBatch]):
    """Augmented views; their randomness is a function of (seed, epoch, position) and of nothing else.

    Args:
        source: The images.
        transform: RGB image to a list of views in [0, 1]; the first two are the global ones.
        seed: Seed of the augmentations.
    """

    def __init__(self, source: ImageSource, transform: Callable[[Image.Image], list[Tensor]], *, seed: int) -> None:
        self.source, self.transform, self.seed = source, transform, seed

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, item: int) -> ViewBatch:
        epoch, position = divmod(item, len(self.source))
        image = readable_image(self.source, position)
        with _seeded([self.seed, epoch, position]):
            views = self.transform(image)
        return ViewBatch(views[:NUM_GLOBAL_VIEWS], views[NUM_GLOBAL_VIEWS:], torch.tensor(position))


class PlainDataset(Dataset[ImageBatch]):
    """Images in [0, 1], one at a time; an unreadable one is black and marked as such.

    Args:
        source: The images.
        transform: RGB image to a tensor.
        image_size: Height and width of the black ones, in pixels.
        view: Number of the random view where `transform` draws one; its randomness is a function of it and of the
            position.
    """

    def __init__(
        self,
        source: ImageSource,
        transform: Callable[[Image.Image], Tensor],
        *,
        image_size: int,
        view: int | None = None,
    ) -> None:
        self.source, self.transform, self.image_size, self.view = source, transform, image_size, view

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, position: int) -> ImageBatch:
        image = self.source.image(position)
        readable = image is not None
        with nullcontext() if self.view is None else _seeded([self.view, position]):
            pixels = self.transform(image) if image else torch.zeros(3, self.image_size, self.image_size)
        return ImageBatch(pixels, torch.tensor(position), torch.tensor(readable))


class PlainArray(PlainDataset):
    """Images of an array that have the right size already, a whole batch at a time.

    Args:
        source: The images.
    """

    def __init__(self, source: ArrayImages, transform: Callable[[Image.Image], Tensor], *, image_size: int) -> None:
        super().__init__(source, transform, image_size=image_size)
        self.images = source.images

    def __getitems__(self, positions: Sequence[int]) -> ImageBatch:
        """Called by torch's loader with all positions of a batch."""
        pixels = channels_first(torch.from_numpy(self.images[positions])).float().mul_(1 / 255)  # as torchvision scales
        readable = torch.ones(len(positions), dtype=torch.bool)
        return ImageBatch(pixels.expand(-1, 3, -1, -1).contiguous(), torch.tensor(positions), readable)


def plain_transform(image_size: int, *, crop_fraction: float) -> v2.Compose:
    """Returns the transform of plain images: resize the shorter side, crop the centre, scale to [0, 1].

    Args:
        image_size: Height and width of the result, in pixels.
        crop_fraction: Side of the crop over the shorter side of the resized image: 0.875 for ImageNet
            (256 to 224), 1 for small images.
    """
    return v2.Compose(
        [
            v2.Resize(round(image_size / crop_fraction), antialias=True),
            v2.CenterCrop(image_size),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )


def evaluation_view(image_size: int) -> v2.Compose:
    """Returns a mild random view for evaluations: the same for every method, so that encoders can be compared.

    Crops of 50 to 100 % of the area and SimCLR's colour jitter at half its strength; nothing is mirrored, since digits
    and letters must stay what they are.

    Args:
        image_size: Height and width of the result, in pixels.
    """
    return v2.Compose(
        [
            v2.RandomResizedCrop(image_size, scale=(0.5, 1.0), antialias=True),
            v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )


class _seeded:  # noqa: N801 - a context manager, named like one
    """Seeds Python, NumPy and torch for the block, and gives their states back afterwards.

    lightly's transforms draw from all three.
    """

    def __init__(self, entropy: list[int]) -> None:
        self.seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])

    def __enter__(self) -> None:
        self.states = random.getstate(), np.random.get_state(), torch.default_generator.get_state()
        random.seed(self.seed)
        np.random.seed(self.seed)
        torch.default_generator.manual_seed(self.seed)

    def __exit__(self, *_: object) -> None:
        random.setstate(self.states[0])
        np.random.set_state(self.states[1])
        torch.default_generator.set_state(self.states[2])
