"""Collapse and divergence of a training, noticed while they happen: a callback for any LightningModule."""

from qscore.watch.callback import CollapseWatch
from qscore.watch.judge import Limits

__all__ = ["CollapseWatch", "Limits"]
