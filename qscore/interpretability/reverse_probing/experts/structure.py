"""How sharp an image is, and where its edges run."""

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import getsource

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image
from scipy.ndimage import laplace, sobel

from qscore.interpretability.reverse_probing.experts import light
from qscore.interpretability.reverse_probing.experts.expert import fingerprint_of, image_by_image
from qscore.interpretability.reverse_probing.experts.light import luma

UNIFORM = 1 / 255  # standard deviation of the luma below which there is nothing to be sharp
ROUNDING = (4**2 + 4) / 12 / 255**2  # variance of the Laplacian of what 8 bits round away
NUM_ORIENTATIONS = 8


def sharpness(values: Float[np.ndarray, "height width"]) -> float:
    """Returns the variance of the Laplacian over that of the values: the mean of squared frequencies, in [0, 64].

    A blur takes more from high frequencies than from low ones and lowers it; contrast leaves it as it is. 0 where
    nothing is to be seen.

    >>> checkers = np.indices((8, 8)).sum(0) % 2 / 1.0
    >>> sharpness(checkers) > 30 > sharpness(np.full((8, 8), 0.5))
    True
    """
    if values.std() < UNIFORM:
        return 0.0
    return max(0.0, float((laplace(values, mode="reflect").var() - ROUNDING) / values.var()))


def edge_orientations(values: Float[np.ndarray, "height width"], least: float) -> Float[np.ndarray, " orientation"]:
    """Returns the share of the pixels that are on an edge, by its direction: from horizontal, in steps of 22.5 degrees.

    Args:
        values: In [0, 1].
        least: Step of the luma, from a pixel to that beside it, from which there is an edge.
    """
    down, right = sobel(values, axis=0) / 8, sobel(values, axis=1) / 8
    is_edge = np.hypot(down, right) >= least
    angle = np.arctan2(right, down)[is_edge]  # 0 where the luma changes downwards alone: along a horizontal edge
    bins = np.round(angle / np.pi * NUM_ORIENTATIONS).astype(np.int64) % NUM_ORIENTATIONS
    shares: np.ndarray = np.bincount(bins, minlength=NUM_ORIENTATIONS) / values.size
    return shares


@dataclass(frozen=True)
class Sharpness:
    """Says whether an image is blurred or sharp. Both thresholds are ours, for a longer side of 256 px at most.

    Attributes:
        blurred: `sharpness` below which an image is blurred.
        sharp: From which it is sharp.
        group: Of the concepts.
    """

    blurred: float = 0.01
    sharp: float = 0.15
    group: str = "sharpness"
    name: str = "sharpness"
    concept_names: tuple[str, ...] = ("blurred", "sharp")

    def fingerprint(self) -> str:
        return fingerprint_of(self, getsource(light))

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        return image_by_image(images, self._named, len(self.concept_names))

    def _named(self, image: Image.Image) -> list[bool]:
        values = luma(image)
        found = sharpness(values)
        is_something = bool(values.std() >= UNIFORM)
        return [is_something and found < self.blurred, found >= self.sharp]


@dataclass(frozen=True)
class Edges:
    """Says whether there are few or many edges, and whether they run one way. All thresholds are ours.

    Attributes:
        least_step: Step of the luma from which there is an edge.
        few: Share of pixels on an edge below which there are few, and no direction is named.
        many: From which there are many.
        one_way: Entropy of the directions, over its largest, ln 8, below which the most frequent one is named.
        all_ways: From which they run in all directions.
        group: Of the concepts.
    """

    least_step: float = 0.08
    few: float = 0.03
    many: float = 0.25
    one_way: float = 0.80
    all_ways: float = 0.97
    group: str = "edges"
    name: str = "edges"
    concept_names: tuple[str, ...] = (
        "few edges",
        "many edges",
        "horizontal edges",
        "vertical edges",
        "diagonal edges",
        "edges in all directions",
    )

    def fingerprint(self) -> str:
        return fingerprint_of(self, getsource(light))

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        return image_by_image(images, self._named, len(self.concept_names))

    def _named(self, image: Image.Image) -> list[bool]:
        shares = edge_orientations(luma(image), self.least_step)
        density = float(shares.sum())
        if density < self.few:
            return [True] + [False] * 5
        p = shares[shares > 0] / density
        evenness = float(-(p * np.log(p)).sum() / np.log(NUM_ORIENTATIONS))
        main = int(shares.argmax()) if evenness < self.one_way else None
        ways = [main == 0, main == NUM_ORIENTATIONS // 2, main not in (None, 0, NUM_ORIENTATIONS // 2)]
        return [False, density >= self.many, *ways, evenness >= self.all_ways]
