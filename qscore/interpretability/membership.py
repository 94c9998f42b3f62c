"""Who is in which group, where a sample is in one at most, or in several."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Int

from qscore.errors import UserError
from qscore.records import Grouping

Groups: TypeAlias = Grouping | Int[np.ndarray, " sample"] | Bool[np.ndarray, "sample group"]
Members: TypeAlias = dict[int, Int[np.ndarray, " _"]]


def members_by_group(groups: Groups, num_samples: int | None = None) -> Members:
    """Returns the positions of the samples of each group that has any, both in ascending order.

    Args:
        groups: The group of each sample, -1 for none, as an array or a `Grouping`; or for each sample and group whether
            it is in it, such as whether a feature is dominant.
        num_samples: How many there should be, where that is known.

    Raises:
        UserError: If there are not so many samples, or nobody is in a group.

    >>> members_by_group(np.array([2, -1, 0, 2]))
    {0: array([2]), 2: array([0, 3])}
    >>> members_by_group(np.array([[True, False], [True, True]]))
    {0: array([0, 1]), 1: array([1])}
    """
    given = groups.clusters if isinstance(groups, Grouping) else groups
    if num_samples is not None and len(given) != num_samples:
        raise UserError(
            f"Expected groups of the same {num_samples} samples, got groups of {len(given)}; "
            "take both from the same data set, in the same order."
        )
    if given.ndim == 2:
        found = {group: np.flatnonzero(given[:, group]) for group in np.flatnonzero(given.any(0)).tolist()}
    else:
        order = np.argsort(given, kind="stable")
        numbers, starts = np.unique(given[order], return_index=True)
        parts = np.split(order, starts[1:])
        found = {number: part for number, part in zip(numbers.tolist(), parts, strict=True) if number >= 0}
    if not found:
        raise UserError(f"Expected at least one group with a sample, got {len(given)} samples in none.")
    return found
