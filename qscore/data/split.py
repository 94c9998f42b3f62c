"""Training and held-out positions of a data set that comes in one piece."""

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from qscore.errors import UserError


def held_out_split(
    num_images: int,
    *,
    labels: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    test_fraction: float = 0.25,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sorted positions to train on and to hold out.

    Groups, where given, stay on one side whole. Otherwise the same share of every class is held out, if every
    class is large enough for that; if not, images are drawn without regard to class.

    Raises:
        UserError: If there are too few images or groups to have one on each side.
    """
    num_units = num_images if groups is None else len(np.unique(groups))
    if num_units < 2:
        raise UserError(f"Expected at least 2 images or groups, one to train on and one to hold out; got {num_units}.")
    positions = np.arange(num_images)
    if groups is not None:
        splitter = GroupShuffleSplit(n_splits=1, test_size=test_fraction, random_state=seed)
        train, test = next(splitter.split(positions, groups=groups))
    else:
        stratify = labels if _can_stratify(labels, test_fraction) else None
        train, test = train_test_split(positions, test_size=test_fraction, random_state=seed, stratify=stratify)
    return np.sort(train), np.sort(test)


def _can_stratify(labels: np.ndarray | None, test_fraction: float) -> bool:
    if labels is None:
        return False
    counts = np.unique(labels, return_counts=True)[1]
    smaller_side = min(test_fraction, 1 - test_fraction) * len(labels)
    return bool(counts.min() >= 2 and smaller_side >= len(counts))
