"""How well people say that a caption fits its class (appendix B.3, Fig. 5)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qscore.errors import UserError
from qscore.interpretability.purity import PurityRange
from qscore.interpretability.reverse_probing.concepts import listed

SCALE = {1: "Extremely bad", 2: "Bad", 3: "Adequate", 4: "Good", 5: "Excellent"}


@dataclass(frozen=True)
class Rating:
    """What an annotator says of the caption of a class, seeing some of its images.

    Attributes:
        group: The class.
        annotator: Who.
        value: How well the caption describes the images as a whole, in `SCALE`.
        suits_one: Whether it suits at least one of them.
    """

    group: int
    annotator: str
    value: int
    suits_one: bool


@dataclass(frozen=True)
class RatingSummary:
    """The ratings of some classes: a column of Fig. 5a and a point of Fig. 5b.

    Attributes:
        counts: How often each value of `SCALE` was given, in its order.
        mean: Of the values; None without ratings.
        suits_one: Share of those for whom the caption suits an image at least; None without ratings.
    """

    counts: tuple[int, ...]
    mean: float | None
    suits_one: float | None

    @property
    def num_ratings(self) -> int:
        """How many there are."""
        return sum(self.counts)


def summarise_ratings(ratings: Iterable[Rating], ranges: Sequence[PurityRange]) -> list[RatingSummary]:
    """Returns the ratings of the classes in each range of purity.

    Args:
        ratings: One of an annotator to a class; those of classes in no range are not counted.
        ranges: As by `choose_by_purity`.

    Raises:
        UserError: If a value is not on the scale, or an annotator rated a class twice.

    >>> given = [Rating(0, "ann", 5, True), Rating(0, "ben", 4, True), Rating(1, "ann", 1, False)]
    >>> [r.mean for r in summarise_ratings(given, [PurityRange(0.8, 0.9, (1,), 1), PurityRange(0.9, 1.0, (0,), 1)])]
    [1.0, 4.5]
    """
    given = list(ratings)
    if wrong := sorted({str(rating.value) for rating in given if rating.value not in SCALE}):
        raise UserError(f"Expected ratings from {min(SCALE)} to {max(SCALE)}, got {listed(wrong)}.")
    times = Counter((rating.group, rating.annotator) for rating in given)
    if twice := [f"class {group} by {annotator}" for (group, annotator), number in times.items() if number > 1]:
        raise UserError(f"Expected one rating of an annotator for a class, got more: {listed(twice)}; keep the last.")
    return [_summary([rating for rating in given if rating.group in chosen.clusters]) for chosen in ranges]


def _summary(ratings: Sequence[Rating]) -> RatingSummary:
    counts = Counter(rating.value for rating in ratings)
    values = tuple(counts[value] for value in SCALE)
    if not ratings:
        return RatingSummary(values, None, None)
    mean = sum(rating.value for rating in ratings) / len(ratings)
    return RatingSummary(values, mean, sum(rating.suits_one for rating in ratings) / len(ratings))
