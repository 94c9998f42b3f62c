"""How bright and how colourful an image is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from qscore.interpretability.reverse_probing.experts.expert import fingerprint_of, image_by_image

SIZE_PX = 256


def at_one_size(image: Image.Image) -> Image.Image:
    """Returns an image whose longer side is 256 px at most, by the mean of the pixels that become one."""
    if max(image.size) <= SIZE_PX:
        return image
    scale = SIZE_PX / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BOX)


def luma(image: Image.Image) -> Float[np.ndarray, "height width"]:
    """Returns the brightness of each pixel by Rec. 601, in [0, 1], at 256 px at most.

    >>> luma(Image.new("RGB", (1, 1), (0, 255, 0))).round(2)
    array([[0.59]])
    """
    return np.asarray(at_one_size(image).convert("L"), dtype=np.float64) / 255


@dataclass(frozen=True)
class Brightness:
    """Says whether an image is dark or bright, and of high or low contrast. All thresholds are ours.

    Attributes:
        dark: Mean luma below which an image is dark.
        bright: From which it is bright.
        high_contrast: Standard deviation of the luma over the pixels from which contrast is high; 0.5 at most.
        low_contrast: Below which it is low.
        group: Of the concepts.
    """

    dark: float = 0.25
    bright: float = 0.75
    high_contrast: float = 0.30
    low_contrast: float = 0.10
    group: str = "brightness"
    name: str = "brightness"
    concept_names: tuple[str, ...] = ("dark", "bright", "high contrast", "low contrast")

    def fingerprint(self) -> str:
        return fingerprint_of(self)

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        return image_by_image(images, self._named, len(self.concept_names))

    def _named(self, image: Image.Image) -> list[bool]:
        values = luma(image)
        mean, deviation = float(values.mean()), float(values.std())
        return [mean < self.dark, mean >= self.bright, deviation >= self.high_contrast, deviation < self.low_contrast]


@dataclass(frozen=True)
class Saturation:
    """Says whether an image is greyscale, pastel or vivid. All thresholds are ours.

    The chroma of a pixel is its largest less its smallest channel, in [0, 1]: unlike saturation it is near 0 for black.

    Attributes:
        greyscale: Largest chroma of 99 % of the pixels of an image without colours; JPEG leaves a little.
        vivid: Mean chroma from which an image is vivid.
        pastel_chroma: Least and largest mean chroma of pastel colours, ...
        pastel_value: ... and the least mean of the largest channel.
        group: Of the concepts.
    """

    greyscale: float = 0.06
    vivid: float = 0.45
    pastel_chroma: tuple[float, float] = (0.06, 0.35)
    pastel_value: float = 0.85
    group: str = "saturation"
    name: str = "saturation"
    concept_names: tuple[str, ...] = ("greyscale", "pastel", "vivid")

    def fingerprint(self) -> str:
        return fingerprint_of(self)

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        return image_by_image(images, self._named, len(self.concept_names))

    def _named(self, image: Image.Image) -> list[bool]:
        pixels = np.asarray(at_one_size(image), dtype=np.float64) / 255
        value, chroma = pixels.max(-1), np.ptp(pixels, axis=-1)
        is_greyscale = bool(np.quantile(chroma, 0.99) <= self.greyscale)
        least, most = self.pastel_chroma
        is_pastel = least <= chroma.mean() <= most and value.mean() >= self.pastel_value
        return [is_greyscale, bool(is_pastel) and not is_greyscale, bool(chroma.mean() >= self.vivid)]
