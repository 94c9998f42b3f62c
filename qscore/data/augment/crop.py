"""Random resized crops and flips: one pair of matrices a sample instead of one loop a sample."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from qscore.data.augment.draws import Draws
from qscore.data.augment.mixing import mixed

ATTEMPTS = 10
RADIUS_PX = {"bilinear": 1.0, "bicubic": 2.0}
CUBIC = -0.5


class Boxes(NamedTuple):
    """Where each crop lies, and whether it is mirrored.

    Attributes:
        boxes: (sample, 4): top, left, height, width, in pixels.
        mirrored: (sample, 2): upside down, left to right.
    """

    boxes: Float[Tensor, "sample 4"]
    mirrored: Bool[Tensor, "sample 2"]


@dataclass(frozen=True)
class Crop:
    """A random box, scaled to one size, then flipped: torchvision's RandomResizedCrop and flips, for a batch at once.

    Attributes:
        size: Height and width of the result, in pixels.
        scale: Least and largest share of the image's area.
        ratio: Least and largest width over height; drawn evenly in its logarithm.
        interpolation: "bilinear" or "bicubic", both antialiased.
        flip_vertical: Probability of turning the crop upside down.
        flip_horizontal: Probability of mirroring it.
    """

    size: tuple[int, int]
    scale: tuple[float, float]
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    interpolation: str = "bilinear"
    flip_vertical: float = 0.0
    flip_horizontal: float = 0.0

    def draw(self, draws: Draws, heights: np.ndarray, widths: np.ndarray) -> Boxes:
        """Returns a box for each sample, inside its image.

        As in torchvision, the first of ten boxes that fits is taken; else the largest central one of allowed shape.
        """
        area = (heights * widths)[:, None] * draws.uniform(ATTEMPTS, *self.scale)
        ratio = np.exp(draws.uniform(ATTEMPTS, *np.log(self.ratio)))
        tried_w, tried_h = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
        fits = (tried_w > 0) & (tried_w <= widths[:, None]) & (tried_h > 0) & (tried_h <= heights[:, None])
        first, rows = fits.argmax(1), np.arange(len(heights))
        any_fits, (central_h, central_w) = fits.any(1), self._central(heights, widths)
        height = np.where(any_fits, tried_h[rows, first], central_h)
        width = np.where(any_fits, tried_w[rows, first], central_w)
        where = draws.uniform(2)
        top = np.where(any_fits, np.floor(where[:, 0] * (heights - height + 1)), (heights - height) // 2)
        left = np.where(any_fits, np.floor(where[:, 1] * (widths - width + 1)), (widths - width) // 2)
        mirrored = np.stack([draws.happens(self.flip_vertical), draws.happens(self.flip_horizontal)], 1)
        boxes = np.stack([top, left, height, width], 1).astype(np.float32)
        return Boxes(torch.from_numpy(boxes), torch.from_numpy(mirrored))

    def __call__(
        self, images: UInt8[Tensor, "sample channel height width"], boxes: Boxes
    ) -> Float[Tensor, "sample channel _ _"]:
        """Returns the crops, pixel values in [0, 1].

        Exactly torchvision's antialiased `resized_crop` of each image, in floating point: one matrix a sample mixes its
        rows, another its columns.
        """
        height, width = images.shape[2:]
        (top, left, box_height, box_width), mirrored = boxes.boxes.unbind(1), boxes.mirrored
        rows = self._weights(top, box_height, mirrored[:, 0], height, self.size[0]) / 255
        columns = self._weights(left, box_width, mirrored[:, 1], width, self.size[1])
        return mixed(images.float(), rows, columns)

    def one(self, image: Image.Image, boxes: Boxes) -> UInt8[Tensor, "1 3 _ _"]:
        """Returns the crop of one decoded image; used where images are of different sizes."""
        top, left, height, width = (int(value) for value in boxes.boxes[0])
        kind = Image.Resampling.BICUBIC if self.interpolation == "bicubic" else Image.Resampling.BILINEAR
        crop = image.crop((left, top, left + width, top + height)).resize(self.size[::-1], kind)
        pixels = torch.from_numpy(np.array(crop)).permute(2, 0, 1)
        return pixels.flip([dim + 1 for dim in (0, 1) if boxes.mirrored[0, dim]])[None]

    def _central(self, heights: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.ratio
        shape = widths / heights
        width = np.where(shape > high, np.rint(heights * high), widths)
        height = np.where(shape < low, np.rint(widths / low), heights)
        return height, width

    def _weights(
        self, start: Tensor, length: Tensor, mirrored: Tensor, num_in: int, num_out: int
    ) -> Float[Tensor, "sample out in"]:
        """Returns the share of every pixel of a line in every pixel of its scaled crop.

        A filter around the centre of each new pixel, widened where the crop shrinks, over the pixels of the box alone.
        """
        steps = torch.arange(num_out, device=start.device)
        order = torch.where(mirrored[:, None], num_out - 1 - steps, steps)
        scale = (length / num_out)[:, None]
        centers = start[:, None] + (order + 0.5) * scale
        pixels = torch.arange(num_in, device=start.device) + 0.5
        distances = (pixels - centers[:, :, None]).abs() / scale.clamp(min=1)[:, :, None]
        weights = _bicubic(distances) if self.interpolation == "bicubic" else (1 - distances).clamp_(min=0)
        end = (start + length)[:, None, None]
        weights = weights * ((pixels > start[:, None, None]) & (pixels < end))
        return weights / weights.sum(2, keepdim=True)


def _bicubic(x: Tensor) -> Tensor:
    """Returns Keys' cubic kernel with the coefficient that Pillow, and torchvision with antialiasing, use."""
    near = ((CUBIC + 2) * x - (CUBIC + 3)) * x**2 + 1
    far = CUBIC * (((x - 5) * x + 8) * x - 4)
    return torch.where(x < 1, near, torch.where(x < RADIUS_PX["bicubic"], far, torch.zeros_like(x)))
