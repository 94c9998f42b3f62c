"""Agreement of annotators, beyond what chance makes of it."""

import numpy as np
from jaxtyping import Int, Shaped

from qscore.errors import UserError


def krippendorff_alpha(answers: Shaped[np.ndarray, "rater unit"]) -> float:
    """Returns Krippendorff's alpha of nominal answers: 1 for perfect agreement, 0 for that of chance.

    alpha = 1 - D_o / D_e, by the coincidences of values within units (Krippendorff, Content Analysis, 2004, section
    11.3). Of forced choices the value is the side that was chosen, not whether it is right: with nearly all answers
    right, chance alone would agree about rightness, and alpha would be near 0.

    Args:
        answers: A number for each answer, NaN where there is none.

    Returns:
        NaN where alpha is not defined: no unit has two answers, or all answers are of one value, so that nothing could
        have been told apart. If all agree and both values occur it is 1.

    Raises:
        UserError: If it is no array of raters and units, or a value is infinite.

    >>> round(krippendorff_alpha(np.array([[0, 1, 0, 1], [0, 1, 1, np.nan]])), 4)   # 1 - (2 / 6) / (2 * 3 * 3 / 30)
    0.4444
    """
    values = np.asarray(answers, dtype=float)
    if values.ndim != 2 or np.isinf(values).any():
        raise UserError(
            f"Expected finite numbers of shape (rater, unit), NaN for none, got shape {values.shape}"
            f"{' with infinite ones' if values.ndim == 2 else ''}; code each value as a number."
        )
    known = np.unique(values[~np.isnan(values)])
    counts = np.array([(values == value).sum(0) for value in known], dtype=int)
    return alpha_of_counts(counts.reshape(len(known), values.shape[1]).T)


def alpha_of_counts(counts: Int[np.ndarray, "unit value"]) -> float:
    """Returns the same from how often each value was given to each unit, for many raters of few units each.

    >>> alpha_of_counts(np.array([[3, 0], [0, 3]]))
    1.0
    """
    paired = counts[counts.sum(1) >= 2]  # a single answer agrees with nothing
    of_unit, of_value = paired.sum(1), paired.sum(0)
    total = int(of_unit.sum())
    chance = total**2 - int((of_value**2).sum())
    if not chance:
        return float("nan")
    pairs_apart = of_unit**2 - (paired**2).sum(1)
    return 1 - (total - 1) * float((pairs_apart / (of_unit - 1)).sum()) / chance
