"""The distribution of Q over each epoch, for the loggers and for the report."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qscore.files import write_json
from qscore.processes import gathered

NUM_BINS = 50
FILE = "q_score_histograms.json"
TAG = "q_score/histogram"
LIGHTNING = ("pytorch_lightning", "lightning", "lightning_fabric")


class QHistograms:
    """Collects Q during an epoch and closes the epoch with a histogram.

    Attributes:
        closed: One `{"epoch", "edges", "counts"}` for each epoch so far.
    """

    def __init__(self) -> None:
        self.closed: list[dict[str, Any]] = []
        self._open: list[Tensor] = []

    def add(self, q: Tensor) -> None:
        """Adds the scores of a batch."""
        self._open.append(q)

    def close_epoch(self, trainer: Any) -> None:
        """Writes the epoch's histogram to the loggers, and all of them to `q_score_histograms.json`."""
        if not self._open:
            return
        q = gathered(torch.cat(self._open))
        counts, edges = np.histogram(q.cpu().numpy(), bins=NUM_BINS)
        self._open.clear()
        entry = {"epoch": trainer.current_epoch, "edges": edges.tolist(), "counts": counts.tolist()}
        self.closed.append(entry)
        if trainer.is_global_zero:
            write_json(Path(trainer.default_root_dir) / FILE, self.closed)
            for logger in trainer.loggers:
                _log(logger, counts, edges, trainer.global_step)


def _log(logger: Any, counts: np.ndarray, edges: np.ndarray, step: int) -> None:
    kinds = _kinds(logger)
    if "WandbLogger" in kinds:
        import wandb

        histogram = wandb.Histogram(np_histogram=(counts, edges))
        logger.experiment.log({TAG: histogram, "trainer/global_step": step})
    elif "TensorBoardLogger" in kinds:
        centers = (edges[:-1] + edges[1:]) / 2
        logger.experiment.add_histogram_raw(
            TAG,
            min=edges[0],
            max=edges[-1],
            num=counts.sum(),
            sum=(counts * centers).sum(),
            sum_squares=(counts * centers**2).sum(),
            bucket_limits=edges[1:].tolist(),
            bucket_counts=counts.tolist(),
            global_step=step,
        )


def _kinds(logger: Any) -> set[str]:
    """Returns the Lightning classes that a logger is of: by name, since each of the two namespaces has its own."""
    return {kind.__name__ for kind in type(logger).__mro__ if kind.__module__.partition(".")[0] in LIGHTNING}
