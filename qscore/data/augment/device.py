"""The views of planned batches, made where the network is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import UInt8
from torch import Tensor

from qscore.data.augment.batches import PlannedBatch, PlannedViews, channels_first
from qscore.data.augment.recipe import View
from qscore.data.sources import ArrayImages, ImageSource
from qscore.records import NUM_GLOBAL_VIEWS, ViewBatch


@dataclass
class DeviceViews:
    """Images, how their views are made, and where.

    Attributes:
        source: The images.
        views: How each view is made.
        seed: Seed of the augmentations.
        budget_bytes: Images of an array are kept in the device's memory whole if they take no more than this.
    """

    source: ImageSource
    views: Sequence[View]
    seed: int
    budget_bytes: float
    _resident: Tensor | None = field(default=None, init=False, repr=False)

    def dataset(self, device: torch.device) -> PlannedViews:
        """Returns the data set to load plans from, and brings the images to the device if they may stay there."""
        on_cpu, source = device.type == "cpu", self.source
        if isinstance(source, ArrayImages) and (on_cpu or source.images.nbytes <= self.budget_bytes):
            self._resident = channels_first(torch.from_numpy(source.images)).to(device)
        else:
            self._resident = None
        return PlannedViews(source, self.views, seed=self.seed, in_parts=on_cpu, with_images=self._resident is None)

    @property
    def needs_workers(self) -> bool:
        """Whether images are to be loaded; a plan alone takes a millisecond, and ten to pass between processes."""
        return self._resident is None

    @torch.no_grad()
    def make(self, batch: PlannedBatch) -> ViewBatch:
        """Returns the views of a plan, on the device that it is on."""
        return make_views(batch, self.views, None if batch.images else self._resident)

    def release(self) -> None:
        """Gives the device's memory back."""
        self._resident = None


def make_views(
    batch: PlannedBatch, views: Sequence[View], resident: UInt8[Tensor, "_ _ _ _"] | None = None
) -> ViewBatch:
    """Returns the planned views, on the device of the plan.

    Args:
        batch: The plan.
        views: How each view is made.
        resident: All images of the data set, (image, channel, height, width), where the batch has none.
    """
    made = []
    for index, view in enumerate(views):
        parts = []
        for number, plan in enumerate(batch.views[index]):
            part = slice(number * batch.num_in_part, (number + 1) * batch.num_in_part)
            if resident is not None:
                whole = resident[batch.positions[part]]
            else:
                whole = batch.images[index if plan.boxes is None else 0][part]
            pixels = whole.float() / 255 if plan.boxes is None else view.crop(whole, plan.boxes)
            for operation, parameters in zip(view.operations, plan.parameters, strict=True):
                pixels = operation(pixels, parameters)
            parts.append(pixels.expand(-1, 3, -1, -1))
        made.append(torch.cat(parts) if len(parts) > 1 else parts[0].contiguous())
    return ViewBatch(made[:NUM_GLOBAL_VIEWS], made[NUM_GLOBAL_VIEWS:], batch.positions)
