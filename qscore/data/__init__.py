"""Images in: folders, known sets and arrays out as augmented views for training and plain images for scoring."""

from qscore.data.datamodule import ImageDataModule
from qscore.data.sources import ImageSource, Splits

__all__ = ["ImageDataModule", "ImageSource", "Splits"]
