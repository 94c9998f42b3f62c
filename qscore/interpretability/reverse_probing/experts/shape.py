"""The shape of an image and the border around it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from PIL import Image

from qscore.interpretability.reverse_probing.experts.expert import fingerprint_of, image_by_image


@dataclass(frozen=True)
class Shape:
    """Says whether an image is upright, wide or square, and whether a border of one colour runs around it.

    All thresholds are ours.

    Attributes:
        square: Largest ratio of the longer to the shorter side of a square.
        border_width: Share of the shorter side that is looked at along each side; a pixel at least.
        tolerance: How far each channel of 99 % of the pixels of a uniform border may be from its median, in [0, 1].
        black: Largest channel, in [0, 1], up to which a border is black.
        white: Smallest channel from which it is white.
        group: Of the concepts.
    """

    square: float = 1.05
    border_width: float = 0.02
    tolerance: float = 0.04
    black: float = 0.10
    white: float = 0.90
    group: str = "shape"
    name: str = "shape"
    concept_names: tuple[str, ...] = ("portrait", "landscape", "square", "white border", "black border", "other border")

    def fingerprint(self) -> str:
        return fingerprint_of(self)

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        return image_by_image(images, self._named, len(self.concept_names))

    def _named(self, image: Image.Image) -> list[bool]:
        is_square = max(image.size) <= self.square * min(image.size)
        shape = [not is_square and image.height > image.width, not is_square and image.width > image.height, is_square]
        pixels = np.asarray(image)
        width = max(1, round(self.border_width * min(image.size)))
        sides = (pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:])
        ring = np.concatenate([side.reshape(-1, 3) for side in sides]) / 255
        colour = np.median(ring, axis=0)
        is_near = (np.abs(ring - colour) <= self.tolerance).all(1)
        if is_near.mean() < 0.99:
            return [*shape, False, False, False]
        is_white, is_black = bool(colour.min() >= self.white), bool(colour.max() <= self.black)
        return [*shape, is_white, is_black, not is_white and not is_black]
