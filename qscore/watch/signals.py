"""What a batch of representations says of an encoder in training: how much room they fill, and what never moves."""

from dataclasses import asdict, dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qscore.evaluation.collapse import effective_rank, feature_std

ROWS = 256  # of a batch that are looked at: their singular values take milliseconds


@dataclass(frozen=True)
class Signals:
    """The state of an encoder, seen on some rows of a training batch.

    Attributes:
        step: Optimizer steps until then.
        spread: sqrt(feature) times `feature_std`: 0 when all samples look the same, near 1 when they are spread
            evenly; unlike the standard deviation it does not depend on the number of features.
        rank_me: See `rank_me`.
        dead_share: Share of the features that had one value for every sample of the window.
    """

    step: int
    spread: float
    rank_me: float
    dead_share: float

    @property
    def values(self) -> dict[str, float]:
        """The numbers, by name."""
        return {name: value for name, value in asdict(self).items() if name != "step"}

    def as_log(self) -> dict[str, float]:
        """Returns the numbers to log, by name."""
        return {f"watch/{name}": value for name, value in self.values.items()}


def spread(h: Float[Tensor, "sample feature"]) -> float:
    """Returns sqrt(feature) times the mean standard deviation of the L2-normalised representations.

    >>> round(spread(torch.eye(4)), 3), spread(torch.ones(3, 2))
    (0.866, 0.0)
    """
    return float(feature_std(h) * h.shape[1] ** 0.5)


def batch_rank(h: Float[Tensor, "sample feature"]) -> float:
    """Returns `rank_me` of a few rows, from the eigenvalues of the smaller Gram matrix: a tenth of the time of an SVD.

    >>> round(batch_rank(torch.tensor([[3.0, 0.0], [0.0, 1.0]])), 4)
    1.7548
    """
    h = h.double()
    gram = h @ h.T if len(h) <= h.shape[1] else h.T @ h
    return float(effective_rank(torch.linalg.eigvalsh(gram).clamp_min(0).sqrt()))


class Window:
    """The smallest and the largest value of each feature over the last batches that were looked at.

    Args:
        size: Number of batches.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._ranges: list[tuple[Tensor, Tensor]] = []

    def add(self, h: Float[Tensor, "sample feature"]) -> None:
        """Takes a batch up and forgets the oldest one of a full window."""
        if self._ranges and self._ranges[0][0].shape[0] != h.shape[1]:
            self._ranges.clear()
        self._ranges = [*self._ranges, (h.amin(0), h.amax(0))][-self.size :]

    @property
    def is_full(self) -> bool:
        """Whether so many batches were seen that a silence means something."""
        return len(self._ranges) == self.size

    @property
    def dead(self) -> Bool[Tensor, " feature"]:
        """Which features had one and the same value for every sample: for those behind a ReLU, zero."""
        low = torch.stack([low for low, _ in self._ranges]).amin(0)
        high = torch.stack([high for _, high in self._ranges]).amax(0)
        return low == high

    @property
    def dead_share(self) -> float:
        """The share of them."""
        return float(self.dead.float().mean())
