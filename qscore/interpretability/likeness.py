"""Groupings of the same samples beside one another; without torch, for reports too."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score

from qscore.errors import UserError


@dataclass(frozen=True)
class Likeness:
    """How alike two groupings are; fractions.

    Attributes:
        nmi: Normalized mutual information, by the arithmetic mean of both entropies; raised by chance.
        ami: The same adjusted for chance, the paper's aNMI.
        ari: Adjusted Rand index.
        num_samples: That are in a group of both.
    """

    nmi: float
    ami: float
    ari: float
    num_samples: int


def likeness(first: Int[np.ndarray, " _"], second: Int[np.ndarray, " _"]) -> Likeness:
    """Returns measures of two groupings of the same samples, those of table 4; NaN where both have a single group.

    Args:
        first: Group of each sample, -1 for none: such a sample is left out.
        second: The same of another maker.

    Raises:
        UserError: If they are of different samples, or no sample is in a group of both.

    >>> likeness(np.array([0, 0, 1, 1, -1]), np.array([5, 5, 3, 3, 3])).ari
    1.0
    """
    if len(first) != len(second):
        raise UserError(f"Expected two groupings of the same samples, got {len(first)} and {len(second)}.")
    in_both = (first >= 0) & (second >= 0)
    a, b = first[in_both], second[in_both]
    if not len(a):
        raise UserError("Expected samples in a group of both groupings, got none; give both the same ids.")
    if len(np.unique(a)) == len(np.unique(b)) == 1:  # scikit-learn calls that perfect
        return Likeness(np.nan, np.nan, np.nan, len(a))
    measures = (normalized_mutual_info_score, adjusted_mutual_info_score, adjusted_rand_score)
    nmi, ami, ari = (float(measure(a, b)) for measure in measures)
    return Likeness(nmi, ami, ari, len(a))
