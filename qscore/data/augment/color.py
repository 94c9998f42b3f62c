"""Colour jitter, grayscale and solarization of a batch, with parameters of its own for every sample."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from qscore.data.augment.draws import Draws
from qscore.data.augment.hue import shift_hue

GRAY = (0.2989, 0.587, 0.114)
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
NUM_BLENDS = 3
Range = tuple[float, float]
Images = Float[Tensor, "sample channel height width"]
Chosen = Int[Tensor, " chosen"]


def gray(images: Images) -> Float[Tensor, "sample 1 height width"]:
    """Returns the luma of each pixel, ITU-R BT.601, with torchvision's weights; a single channel as it is."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    return (GRAY[0] * red).add_(green, alpha=GRAY[1]).add_(blue, alpha=GRAY[2])[:, None]


class JitterParameters(NamedTuple):
    """Brightness, contrast and saturation in the order of each sample, and where hue stands among them.

    Attributes:
        factors: (sample, 3): factor of the first, second and third blend.
        to_mean: (sample, 3): 1 where that blend is contrast.
        to_gray: (sample, 3): 1 where it is saturation.
        hue_turns: (sample,): shift of the hue, in turns.
        hue_before: For each of four places (before the first blend to after the last), the samples shifted there.
    """

    factors: Float[Tensor, "sample 3"]
    to_mean: Float[Tensor, "sample 3"]
    to_gray: Float[Tensor, "sample 3"]
    hue_turns: Float[Tensor, " sample"]
    hue_before: list[Chosen]


@dataclass(frozen=True)
class Jitter:
    """torchvision's ColorJitter, applied to a sample with a probability, in an order of its own for each sample.

    Brightness, contrast and saturation are one operation, clamp(f x + (1 - f) y), with y = 0, the image's mean luma or
    each pixel's luma: all samples go through three such blends together, whatever their order. Hue costs most, and is
    computed once for each jittered sample, at its place.

    Attributes:
        brightness: Least and largest factor; None leaves it alone.
        contrast: Least and largest factor.
        saturation: Least and largest factor.
        hue: Least and largest shift, in turns.
        probability: Of jittering a sample at all.
        yiq: Turn the hue in YIQ space: a linear map, near the shift in HSV space and three times as fast.
    """

    brightness: Range | None
    contrast: Range | None
    saturation: Range | None
    hue: Range | None
    probability: float = 1.0
    yiq: bool = False

    def draw(self, draws: Draws) -> JitterParameters:
        """Returns factors, order and hue of each sample."""
        num = len(draws)
        happens = draws.happens(self.probability)
        order = draws.uniform(4).argsort(1)
        blends = order[order != HUE].reshape(num, NUM_BLENDS)
        ranges = (self.brightness, self.contrast, self.saturation)
        factors = np.concatenate([draws.uniform(1, *(each or (1.0, 1.0))) for each in ranges], 1)
        factors = np.where(happens[:, None], np.take_along_axis(factors, blends, 1), 1.0)
        turns = draws.uniform(1, *(self.hue or (0.0, 0.0)))[:, 0]
        place = (order == HUE).argmax(1)
        shifted = happens & (self.hue is not None)
        numbers = (factors, blends == CONTRAST, blends == SATURATION, turns)
        factor, to_mean, to_gray, turn = (torch.from_numpy(each.astype(np.float32)) for each in numbers)
        hue_before = [torch.from_numpy(np.flatnonzero(shifted & (place == each))) for each in range(NUM_BLENDS + 1)]
        return JitterParameters(factor, to_mean, to_gray, turn, hue_before)

    def __call__(self, images: Images, parameters: JitterParameters) -> Images:
        """Returns the jittered images, in [0, 1]; overwrites those given."""
        for place, chosen in enumerate(parameters.hue_before):
            if len(chosen) and images.shape[1] > 1:  # one channel has no hue
                turns = parameters.hue_turns[chosen]
                images.index_copy_(0, chosen, shift_hue(images[chosen], turns, yiq=self.yiq))
            if place < NUM_BLENDS:
                factor, to_mean, to_gray = (each[:, place, None, None, None] for each in parameters[:3])
                luma = gray(images)
                target = to_mean * luma.mean((2, 3), keepdim=True) + to_gray * luma
                images.mul_(factor).add_((1 - factor) * target).clamp_(0, 1)
        return images


@dataclass(frozen=True)
class Grayscale:
    """torchvision's RandomGrayscale: all three channels become the luma."""

    probability: float

    def draw(self, draws: Draws) -> Chosen:
        return draws.chosen(self.probability)

    def __call__(self, images: Images, chosen: Chosen) -> Images:
        return images.index_copy_(0, chosen, gray(images[chosen]).expand(-1, images.shape[1], -1, -1))


@dataclass(frozen=True)
class Solarize:
    """Inverts all pixels at or above a threshold, as Pillow does (BYOL, Grill et al., 2020, appendix B).

    Attributes:
        probability: Of solarizing a sample.
        threshold: In [0, 1].
    """

    probability: float
    threshold: float = 128 / 255

    def draw(self, draws: Draws) -> Chosen:
        return draws.chosen(self.probability)

    def __call__(self, images: Images, chosen: Chosen) -> Images:
        bright = images[chosen]
        return images.index_copy_(0, chosen, torch.where(bright >= self.threshold, 1 - bright, bright))
