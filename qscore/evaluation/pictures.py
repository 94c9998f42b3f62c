"""The images behind the representations, for the evaluations that must look at them again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from qscore.data import ImageDataModule
from qscore.data.datamodule import Split
from qscore.encoders import Encoder
from qscore.score import cached_representations


@dataclass(frozen=True)
class Pictures:
    """An encoder and the images that it is evaluated on.

    Attributes:
        encoder: In eval mode, on the device to compute on.
        data: Training and held-out images.
        cache: Folder of representations.
    """

    encoder: Encoder
    data: ImageDataModule
    cache: Path

    def plain(self, positions: Sequence[int], *, split: Split = "test") -> Float[Tensor, "sample 3 height width"]:
        """Returns plain images of a split, in [0, 1], read in this process; an unreadable one is black."""
        dataset = self.data.plain_loader(split, positions).dataset
        return torch.stack([dataset[position].images for position in positions])

    def positions(self, ids: Iterable[str], *, split: Split = "test") -> list[int]:
        """Returns where samples stand in their data set; unreadable images stand there too, without representation."""
        place = {sample: i for i, sample in enumerate(self.data.source(split).ids)}
        return [place[sample] for sample in ids]

    def views(self, num: int) -> Float[Tensor, "view sample feature"]:
        """Returns representations of random views of the held-out images, in the order of `EvaluationInputs.test`."""
        return torch.stack(
            [cached_representations(self.encoder, self.data, "test", self.cache, view=view).h for view in range(num)]
        )
