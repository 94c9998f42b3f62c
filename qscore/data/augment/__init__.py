"""The views of SSL, made for a whole batch at once on the device of the network."""

from qscore.data.augment.batches import PlannedBatch, PlannedViews, channels_first
from qscore.data.augment.device import DeviceViews, make_views
from qscore.data.augment.recipe import NotBatchedError, View, read_views

__all__ = [
    "DeviceViews",
    "NotBatchedError",
    "PlannedBatch",
    "PlannedViews",
    "View",
    "channels_first",
    "make_views",
    "read_views",
]
