"""The colours of an image, by eleven names for its pixels (as Bau et al., Network Dissection, CVPR 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from qscore.arrays import read_array
from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.reverse_probing.experts.expert import fingerprint_of, image_by_image
from qscore.interpretability.reverse_probing.experts.lab import COLOUR_NAMES, LEVELS, STEP, nearest_focal_colours

MAX_PIXELS = 1 << 20
MANY = ("one colour", "two colours", "three colours", "four colours or more")


def name_shares(image: Image.Image, table: Int[np.ndarray, "red green blue"]) -> Float[np.ndarray, " name"]:
    """Returns the share of the pixels that has each of the eleven names.

    Of an image of more than a million pixels, every n-th row and column is looked at.

    >>> name_shares(Image.new("RGB", (2, 2), "red"), nearest_focal_colours())[COLOUR_NAMES.index("red")]
    np.float64(1.0)
    """
    every = int(np.ceil(np.sqrt(image.width * image.height / MAX_PIXELS)))
    red, green, blue = np.moveaxis(np.asarray(image)[::every, ::every] // STEP, -1, 0)
    shares: np.ndarray = np.bincount(table[red, green, blue].ravel(), minlength=len(COLOUR_NAMES)) / red.size
    return shares


def read_w2c(path: str | Path) -> Int[np.ndarray, "red green blue"]:
    """Returns a table of the numbers of names for 32 x 32 x 32 colours, such as Network Dissection's `w2color.npy`.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If it is not such a table.
    """
    if not Path(path).is_file():
        raise UserFileNotFoundError(f"Expected a table of colour names, found no file at {path}.")
    table = read_array(Path(path))
    is_table = table.shape == (LEVELS,) * 3 and table.dtype.kind in "iu"
    if not is_table or table.min() < 0 or table.max() >= len(COLOUR_NAMES):
        raise UserError(
            f"Expected whole numbers from 0 to {len(COLOUR_NAMES) - 1} of shape (32, 32, 32) in {path}, one for each "
            f"[red // 8, green // 8, blue // 8], in the order {', '.join(COLOUR_NAMES)}."
        )
    names: np.ndarray = table.astype(np.int64)
    return names


@dataclass(frozen=True)
class Colour:
    """Says which colours have a share in the pixels.

    Attributes:
        min_share: Smallest share of the pixels. Laina et al. do not give theirs; 0.10 is ours.
        dominant: Name the colour of the largest share alone.
        w2c: A file that says which colour has which name, in place of our focal colours; see `read_w2c`.
        group: Of the concepts.
    """

    min_share: float = 0.10
    dominant: bool = False
    w2c: str | None = None
    group: str = "colour"
    name: str = "colour"
    concept_names: tuple[str, ...] = COLOUR_NAMES

    @cached_property
    def table(self) -> Int[np.ndarray, "red green blue"]:
        """The number of the name of each colour."""
        return nearest_focal_colours() if self.w2c is None else read_w2c(self.w2c)

    def fingerprint(self) -> str:
        return fingerprint_of(self, self.table.tobytes())

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        return image_by_image(images, self._named, len(COLOUR_NAMES))

    def _named(self, image: Image.Image) -> list[bool]:
        shares = name_shares(image, self.table)
        is_named = np.arange(len(shares)) == shares.argmax() if self.dominant else shares >= self.min_share
        found: list[bool] = is_named.tolist()
        return found


@dataclass(frozen=True)
class ColourCount:
    """Says how many colours have a share in the pixels.

    Attributes:
        colour: What has which name, from which share on.
        group: Of the concepts.
    """

    colour: Colour = Colour()
    group: str = "colour count"
    name: str = "colour_count"
    concept_names: tuple[str, ...] = MANY

    def fingerprint(self) -> str:
        return fingerprint_of(self, self.colour.fingerprint())

    def __call__(self, images: Sequence[Image.Image]) -> Bool[np.ndarray, "sample concept"]:
        counts = np.minimum(self.colour(images).sum(1), len(MANY))
        is_count: np.ndarray = counts[:, None] == np.arange(1, len(MANY) + 1)
        return is_count
