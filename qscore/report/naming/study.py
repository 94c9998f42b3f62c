"""What people named in one study, read from its result."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qscore.results import Result

ONE, STAR, DIAMETER = "one_to_one", "star", "diameter"
SAID = {ONE: "D = 1", STAR: "D = 2, stars", DIAMETER: "D = 2, diameter"}
NONE = "–"
Table = tuple[list[str], list[list[str]]]
Grouped = tuple[list[str], list[list[str]], list[tuple[str, int]]]


@dataclass(frozen=True)
class Namings:
    """One naming study.

    Attributes:
        result: Its `namings` result.
    """

    result: Result

    @property
    def name(self) -> str:
        """Of the study."""
        return str(self.result.settings.get("study") or "study")

    def __getitem__(self, name: str) -> np.ndarray:
        return self.result.arrays[name]

    @property
    def groups(self) -> list[str]:
        """Names of the groups."""
        return [str(name) for name in self["group"].tolist()]

    @property
    def annotators(self) -> list[str]:
        """As tables call them."""
        return [f"#{name}" for name in self["annotator"].tolist()]

    @property
    def who(self) -> str:
        """Who named: "people", "simulated annotators", or both."""
        simulated = int(self.result.settings.get("num_simulated") or 0)
        if not simulated:
            return "people"
        others = len(self.annotators) - simulated
        return f"{others} people and {simulated} simulated annotators" if others else "simulated annotators"

    @property
    def shapes(self) -> list[str]:
        """Of families, in the order of the arrays."""
        return [str(name) for name in self["shape"].tolist()]

    @property
    def has_pairs(self) -> bool:
        """Whether two annotators named something in common."""
        return bool((self["pair_common"] > 0).any())

    def pairs_of(self, group: int) -> list[int]:
        """Returns places of the pairs of a group, of annotators who named something in common."""
        return np.flatnonzero((self["pair_group"] == group) & (self["pair_common"] > 0)).tolist()

    def pair_title(self, pair: int) -> str:
        """Returns the group and the two annotators of a pair."""
        one, other = (self.annotators[place] for place in self["pair_annotators"][pair].tolist())
        return f"{self.groups[int(self['pair_group'][pair])]}: {one} and {other}"

    def of_shape(self, name: str, shape: str) -> np.ndarray:
        """Returns a figure of all pairs for a shape of families."""
        return np.asarray(self[f"pair_{name}"][:, self.shapes.index(shape)])

    def explanations(self) -> Iterator[tuple[int, int, dict[tuple[str, ...], int]]]:
        """Yields group, annotator, and the images of each set of names, the most frequent first, no name last."""
        keys = list(zip(self["summary_group"].tolist(), self["summary_annotator"].tolist(), strict=True))
        for group, annotator in sorted(set(keys)):
            rows = [row for row, key in enumerate(keys) if key == (group, annotator)]
            said = [str(self["summary_names"][row]) for row in rows]
            images = [int(self["summary_images"][row]) for row in rows]
            names = [tuple(text.split("\n")) if text else () for text in said]
            yield group, annotator, dict(zip(names, images, strict=True))


def number(value: float, *, signed: bool = False) -> str:
    """Returns a fraction as the paper prints it, a dash where it is not defined.

    >>> number(0.6666), number(float("nan")), number(-0.021, signed=True)
    ('0.67', '–', '-0.02')
    """
    if not np.isfinite(value):
        return NONE
    return f"{value + 0.0:{'+' if signed else ''}.2f}"


def mean(values: np.ndarray) -> float:
    """Returns the mean of the numbers that are defined; NaN where none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def exact(value: object) -> str:
    """Returns a value at full precision for a CSV, empty where it is not defined."""
    return "" if isinstance(value, float) and not np.isfinite(value) else str(value)
