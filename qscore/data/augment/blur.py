"""Gaussian blur of some samples of a batch, each with its own width."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from qscore.data.augment.draws import Draws
from qscore.data.augment.mixing import mixed

REACH = 3  # standard deviations; what lies beyond weighs less than 0.3 %


class BlurParameters(NamedTuple):
    """Which samples are blurred, and how widely: (chosen,) positions, and (chosen,) standard deviations in pixels."""

    chosen: Int[Tensor, " chosen"]
    sigmas: Float[Tensor, " chosen"]


@dataclass(frozen=True)
class Blur:
    """A Gaussian over each image, its edge pixels repeated outwards as Pillow does; a sigma is drawn for each sample.

    lightly blurs by Pillow, which approximates the Gaussian by repeated box filters; this is the Gaussian itself, as
    two matrices a sample, one over rows and one over columns.

    Attributes:
        probability: Of blurring a sample.
        sigmas: Least and largest standard deviation, in pixels.
        reach_px: Where the Gaussian is cut; three of the widest standard deviations by default.
        reflect: Mirror the image at its edges, as torchvision's GaussianBlur does, instead of repeating the edge.
    """

    probability: float
    sigmas: tuple[float, float]
    reach_px: int | None = None
    reflect: bool = False

    def draw(self, draws: Draws) -> BlurParameters:
        chosen = draws.chosen(self.probability)
        sigmas = torch.from_numpy(draws.uniform(1, *self.sigmas)[:, 0].astype(np.float32))
        return BlurParameters(chosen, sigmas[chosen])

    def __call__(
        self, images: Float[Tensor, "sample channel height width"], parameters: BlurParameters
    ) -> Float[Tensor, "sample channel height width"]:
        """Returns the images, blurred where they were chosen; overwrites those given."""
        chosen, sigmas = parameters
        sharp = images[chosen]
        rows, columns = (self._weights(sigmas, length) for length in sharp.shape[2:])
        return images.index_copy_(0, chosen, mixed(sharp, rows, columns))

    def _weights(self, sigmas: Tensor, num: int) -> Float[Tensor, "chosen out in"]:
        reach = max(1, round(REACH * self.sigmas[1])) if self.reach_px is None else self.reach_px
        offsets = torch.arange(-reach, reach + 1, device=sigmas.device)
        kernel = torch.exp(-0.5 * (offsets / sigmas[:, None].clamp(min=1e-6)) ** 2)
        kernel = kernel / kernel.sum(1, keepdim=True)
        out = torch.arange(num, device=sigmas.device)
        sources = out[:, None] + offsets  # (out, offset): which pixel each tap reads
        if self.reflect:
            sources = (num - 1) - ((num - 1) - sources.abs()).abs()
        sources = sources.clamp(0, num - 1)
        weights = torch.zeros(len(sigmas), num, num, device=sigmas.device)
        return weights.scatter_add_(2, sources.expand(len(sigmas), -1, -1), kernel[:, None].expand(-1, num, -1))
