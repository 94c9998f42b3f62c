"""A data set and the device that its views are made on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from qscore.data.augment.batches import PlannedBatch, PlannedViews, channels_first, make_views
from qscore.data.augment.recipe import View
from qscore.data.sources import ArrayImages, ImageSource
from qscore.records import ViewBatch


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
