"""Representations to mine from, whole or spread over the processes of a training."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.processes import gathered, num_processes, own_rank
from qscore.regularizer.images import mining_images
from qscore.regularizer.outputs import RepresentationsOf, Select
from qscore.score import (
    OwnLoop,
    by_rows,
    cached_representations,
    dominance_counts,
    extract_rows,
    search_sample,
)


class Seen:
    """The representations that a mining pass saw; what is asked of them is the same on every process.

    Values of a sample travel between the processes, and 20,000 representations where an epsilon is searched; the other
    representations stay where they were computed.

    Args:
        h: Those of this process; they may be mapped from a file.
        places: Place of each among those of all processes; None where each process has all.

    Attributes:
        num_samples: Number of samples over all processes.
    """

    def __init__(self, h: Float[Tensor, "sample feature"], places: Int[Tensor, " sample"] | None = None) -> None:
        self.h, self._places = h, places
        self._order = None if places is None else gathered(places).argsort()
        self.num_samples = len(h) if self._order is None else len(self._order)

    def counts(self, epsilon: float) -> Int[Tensor, " feature"]:
        """Returns the number of samples for which each feature is dominant."""
        counts = dominance_counts(self.h, epsilon)
        return counts if self._order is None else gathered(counts[None]).sum(0)

    def of_each(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Returns a function of each sample, in the order of the data set."""
        values = by_rows(function, self.h)
        return values if self._order is None else gathered(values)[self._order]

    def drawn(self) -> Float[Tensor, "sample feature"]:
        """Returns the representations that an epsilon is searched on, see `search_sample`."""
        chosen = search_sample(self.num_samples)
        if self._places is None:
            return self.h[chosen]
        return gathered(self.h[torch.isin(self._places, chosen)])


def seen_by(
    encoder: nn.Module,
    trainer: Any,
    images: Iterable[Any] | None,
    *,
    select: Select | None = None,
    cache: Path | None = None,
) -> Seen:
    """Returns what an encoder sees in the images to mine from, see `mining_images`; each process looks at its share.

    Args:
        encoder: Image to representation.
        trainer: That of the running fit.
        images: Batches of plain images; None for those of the trainer's data module.
        select: What the encoder returns to representations, see `read_representations`.
        cache: Folder of cached representations, of use before the first step: what an evaluation of the encoder as it
            came reads is then read here, or left for it.
    """
    data, is_default = getattr(trainer, "datamodule", None), images is None and select is None
    is_ours = is_default and isinstance(data, ImageDataModule) and isinstance(encoder, Encoder)
    # Weights that bf16-true and its like have rounded are not those of the file that an evaluation loads.
    if cache and is_ours and trainer.global_step == 0 and next(encoder.parameters()).dtype == torch.float32:
        return Seen(_cached(encoder, data, cache))
    found = mining_images(trainer, images)
    h, positions = extract_rows(RepresentationsOf(encoder, select), found.batches)
    return shared(h, positions) if found.is_share else Seen(h)


def shared(h: Float[Tensor, "sample feature"], positions: Int[Tensor, " sample"]) -> Seen:
    """Returns the representations of several processes as one, those of a position once.

    Lightning's samplers repeat images, so that every process has the same number.

    Args:
        h: Those of this process, perhaps none.
        positions: Position of each in the data set.
    """
    if num_processes() == 1:
        return Seen(h)
    lengths = gathered(torch.tensor([len(positions)]))
    start = int(lengths[: own_rank()].sum())
    _, first = np.unique(gathered(positions).numpy(), return_index=True)
    place = torch.full((int(lengths.sum()),), -1)
    place[torch.from_numpy(first)] = torch.arange(len(first))
    own = place[start : start + len(positions)]
    num_features = int(gathered(torch.tensor([h.shape[1]])).max())
    return Seen(h[own >= 0] if len(h) else torch.zeros(0, num_features), own[own >= 0])


def _cached(encoder: Any, data: Any, cache: Path) -> Tensor:
    return cached_representations(encoder, data, "pretrain", cache, loop=OwnLoop()).h
