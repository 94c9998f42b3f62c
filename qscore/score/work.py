"""What an encoder has still to look at, and which process looks at what."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

from qscore.records import ImageBatch
from qscore.score.shards import Shards


@dataclass(frozen=True)
class Work:
    """Images that an encoder is to look at once, and the shards with those it has seen.

    Attributes:
        num_images: Number of images, readable or not.
        batch_size: Images encoded at a time.
        loader: Positions to batches of these images.
        shards: What is done.
    """

    num_images: int
    batch_size: int
    loader: Callable[[list[int]], Iterable[ImageBatch]]
    shards: Shards

    def missing(self) -> list[int]:
        """Returns the positions that are in no shard."""
        is_missing = torch.ones(self.num_images, dtype=torch.bool)
        is_missing[self.shards.found()[0]] = False
        return is_missing.nonzero().flatten().tolist()

    def share(self, rank: int, num: int) -> list[int]:
        """Returns the missing positions that one of some processes is to encode."""
        return own_batches(self.missing(), self.batch_size, rank, num)


def own_batches(positions: Sequence[int], batch_size: int, rank: int, num: int) -> list[int]:
    """Returns the positions in every n-th batch, so that the batches are those of one process.

    >>> own_batches([2, 3, 5, 7, 11, 13, 17], 2, rank=1, num=2)
    [5, 7, 17]
    """
    starts = range(rank * batch_size, len(positions), num * batch_size)
    return [position for start in starts for position in positions[start : start + batch_size]]
