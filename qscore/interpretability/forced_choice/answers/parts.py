"""The groups of a study in parts: all of a kind, those of a range of purity, features inside and outside the band."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from qscore.interpretability.forced_choice.coherence import CONFIDENCE
from qscore.interpretability.forced_choice.questions.group_facts import GroupFacts, StudyGroups

ALL = "all"
OTHER = "other"  # groups of which no kind is known, beside others
BANDS = ("discriminative", "outside")
NUM_RESAMPLES = 10_000


@dataclass(frozen=True)
class Part:
    """Some groups of one kind: the rows of table 1.

    Attributes:
        kind: What made the groups.
        name: "all", a range of purity such as "(0.3, 0.4]", or one of `BANDS`.
        groups: Their places.
        ends: Of the range; None of other parts.
    """

    kind: str
    name: str
    groups: frozenset[int]
    ends: tuple[float, float] | None = None


def in_order(groups: Iterable[str]) -> list[str]:
    """Returns names of groups, numbers first and by their value.

    >>> in_order(["10", "9", "dogs", "9"])
    ['9', '10', 'dogs']
    """
    return sorted(set(groups), key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def parts(groups: list[str], known: StudyGroups) -> list[Part]:
    """Returns the parts of a study, kind by kind: ranges of purity from below, bands, then all.

    Args:
        groups: Names.
        known: What is known of them; a group without a range is in no range.
    """
    facts = [known.of(group) for group in groups]
    found = []
    for kind in dict.fromkeys(about.kind for about in facts):
        of_kind = {place: about for place, about in enumerate(facts) if about.kind == kind}
        for ends in sorted({about.purity_range for about in of_kind.values() if about.purity_range}):
            chosen = frozenset(place for place, about in of_kind.items() if about.purity_range == ends)
            found.append(Part(kind, f"({_plain(ends[0])}, {_plain(ends[1])}]", chosen, ends))
        found += [Part(kind, band, chosen) for band in BANDS if (chosen := _in_band(of_kind, band))]
        found.append(Part(kind, ALL, frozenset(of_kind)))
    return found


def difference(
    first: Int[np.ndarray, "2 group"],
    second: Int[np.ndarray, "2 other"],
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Returns how much more often people are right about some groups than about others, with its interval over groups.

    Args:
        first: Right answers and all answers of each group, 1 at least.
        second: Of other groups.
        confidence: Of the interval: groups of both are drawn again, each with all its answers.
        seed: Of the draws.

    Returns:
        Difference of the pooled shares, and both ends; these are NaN where either has a single group.

    >>> difference(np.array([[9, 9], [10, 10]]), np.array([[5, 5], [10, 10]]))
    (0.4, 0.4, 0.4)
    """
    mean = first[0].sum() / first[1].sum() - second[0].sum() / second[1].sum()
    if min(first.shape[1], second.shape[1]) < 2:
        return float(mean), float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    shares = []
    for counts in (first, second):
        draws = generator.integers(counts.shape[1], size=(NUM_RESAMPLES, counts.shape[1]))
        shares.append(counts[0][draws].sum(1) / counts[1][draws].sum(1))
    low, high = np.quantile(shares[0] - shares[1], [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(mean), float(low), float(high)


def _plain(end: float) -> str:
    """As the paper prints it, unless it has more digits."""
    return f"{end:.1f}" if round(end, 1) == end else f"{end:g}"


def _in_band(facts: dict[int, GroupFacts], band: str) -> frozenset[int]:
    return frozenset(place for place, about in facts.items() if about.band == band)
