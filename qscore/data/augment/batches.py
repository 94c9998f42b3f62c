"""The plan of the views of whole batches, made where the images are loaded."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from qscore.data.augment.crop import Boxes
from qscore.data.augment.draws import Draws
from qscore.data.augment.recipe import View
from qscore.data.sources import ArrayImages, ImageSource, readable_image

PIXELS_IN_CACHE = 2**16


class PlannedView(NamedTuple):
    """What is to be done to consecutive samples of a batch to make one view of each.

    Attributes:
        boxes: Where to crop; None where that was done already.
        parameters: Of each operation of the view, in its order.
    """

    boxes: Boxes | None
    parameters: list[Any]


class PlannedBatch:
    """The random choices for the views of a batch, and its images unless they lie on the device already.

    No tuple, so that a trainer's precision leaves its numbers alone: a place in an image has no use for bf16.

    Args:
        positions: Position of each image in its data set.
        num_in_part: Samples that are worked on together; the last part may have fewer.
        views: For each view, the plan of each part.
        images: uint8. Empty if they lie on the device; one tensor if they are still whole; or, cropped already, one
            for each view. (sample, channel, height, width)
    """

    def __init__(
        self,
        positions: Int[Tensor, " sample"],
        num_in_part: int,
        views: list[list[PlannedView]],
        images: list[UInt8[Tensor, "sample _ _ _"]],
    ) -> None:
        self.positions, self.num_in_part, self.views, self.images = positions, num_in_part, views, images

    def to(self, device: torch.device) -> "PlannedBatch":
        """Called by Lightning to bring the batch to the device."""
        return self._mapped(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "PlannedBatch":
        """Called by torch's loader."""
        return self._mapped(Tensor.pin_memory)

    def _mapped(self, function: Callable[[Tensor], Tensor]) -> "PlannedBatch":
        views, images = _of_tensors(function, self.views), _of_tensors(function, self.images)
        return PlannedBatch(function(self.positions), self.num_in_part, views, images)


class PlannedViews(Dataset[PlannedBatch]):
    """Batches of images with the plan of their views; random choices are a function of (seed, epoch, position, view).

    Images of one size, in memory, are cropped on the device; others are cropped here, by Pillow, once they are decoded:
    an image is decoded once for all of its views.

    Args:
        source: The images.
        views: How each view is made.
        seed: Seed of the augmentations.
        in_parts: Plan parts that stay in a processor's cache, instead of the batch as one.
        with_images: Carry the images of an array; False where the device has them all.
    """

    def __init__(
        self, source: ImageSource, views: Sequence[View], *, seed: int, in_parts: bool, with_images: bool = True
    ) -> None:
        self.source, self.views, self.seed = source, views, seed
        self.in_parts, self.with_images = in_parts, with_images

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, item: int) -> PlannedBatch:
        return self.__getitems__([item])

    def __getitems__(self, items: Sequence[int]) -> PlannedBatch:
        """Called by torch's loader with all indices of a batch, each `epoch * num_images + position`."""
        epochs, positions = np.divmod(np.asarray(items), len(self.source))
        num, height, width = len(items), *self.views[0].crop.size
        num_in_part = max(1, PIXELS_IN_CACHE // (height * width)) if self.in_parts else num
        parts = [slice(start, start + num_in_part) for start in range(0, num, num_in_part)]
        images: list[Tensor]
        if isinstance(self.source, ArrayImages):
            sizes = np.broadcast_to(self.source.images.shape[1:3], (num, 2))
            images = [channels_first(torch.from_numpy(self.source.images[positions]))] if self.with_images else []
        else:
            decoded = [readable_image(self.source, int(position)) for position in positions]
            sizes = np.array([image.size[::-1] for image in decoded])
        planned = [
            [self._plan(index, epochs[part], positions[part], sizes[part]) for part in parts]
            for index in range(len(self.views))
        ]
        if not isinstance(self.source, ArrayImages):
            images = [self._cropped(decoded, view, plans) for view, plans in zip(self.views, planned, strict=True)]
            planned = [[plan._replace(boxes=None) for plan in plans] for plans in planned]
        return PlannedBatch(torch.from_numpy(positions), num_in_part, planned, images)

    def _plan(self, index: int, epochs: np.ndarray, positions: np.ndarray, sizes: np.ndarray) -> PlannedView:
        view, draws = self.views[index], Draws([self.seed, epochs, positions, index])
        boxes = view.crop.draw(draws, sizes[:, 0], sizes[:, 1])
        return PlannedView(boxes, [operation.draw(draws) for operation in view.operations])

    def _cropped(self, images: list[Any], view: View, plans: list[PlannedView]) -> Tensor:
        each = (box for plan in plans if plan.boxes for box in zip(*plan.boxes, strict=True))
        alone = (Boxes(place[None], mirrored[None]) for place, mirrored in each)
        return torch.cat([view.crop.one(image, box) for image, box in zip(images, alone, strict=True)])


def channels_first(images: UInt8[Tensor, "..."]) -> UInt8[Tensor, "image channel height width"]:
    """Returns (image, height, width[, 3]) as (image, channel, height, width), without a copy."""
    return images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)


def _of_tensors(function: Callable[[Tensor], Tensor], value: Any) -> Any:
    """Returns lists and named tuples with a function applied to every tensor in them."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, list):
        return [_of_tensors(function, part) for part in value]
    if isinstance(value, tuple):
        return type(value)(*(_of_tensors(function, part) for part in value))
    return value
