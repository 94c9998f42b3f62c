"""Features seen class by class: means over the samples of a class, how few classes a feature serves, head weights."""

import numpy as np

from qscore.evaluation.linear import LinearClassifier


def class_means(values: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns the mean over the samples of each class, (class, feature); NaN for a class without samples.

    Of booleans it is a share: of dominant features, fig. 2 of Kalibhat et al., 2022, arXiv 2203.01881v2; of
    representations it is the class average of figs. 5 and A.8.

    Args:
        values: (sample, feature).
        labels: Class of each sample, from 0.
        num_classes: Number of rows to return.

    >>> class_means(np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]), np.array([0, 0, 2]), 3)
    array([[0.5, 0. ],
           [nan, nan],
           [1. , 1. ]])
    """
    means = np.full((num_classes, values.shape[1]), np.nan)
    for c in np.unique(labels):
        means[c] = values[labels == c].mean(0, dtype=np.float64)
    return means


def class_selectivity(shares: np.ndarray) -> np.ndarray:
    """Returns how few classes each feature is dominant for: 1 for a single class, 0 for all classes alike.

    1 - H(p) / log C, with p the shares of the C classes divided by their sum, so that large classes weigh no more
    than small ones, and H the entropy. A feature that is dominant for one sample scores 1 whatever it encodes: read
    it beside the largest share, which is tiny then.

    Args:
        shares: (class, feature); rows of NaN are classes without samples, and do not count.

    Returns:
        One number a feature; NaN where it is dominant for no sample, or where there is one class only.

    >>> class_selectivity(np.array([[0.8, 0.5, 0.0], [0.0, 0.5, 0.0]]))
    array([ 1.,  0., nan])
    """
    present = shares[~np.isnan(shares).any(1)]
    totals = present.sum(0)
    if len(present) < 2:
        return np.full(shares.shape[1], np.nan)
    p = present / np.where(totals > 0, totals, 1)
    entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(0)
    return np.where(totals > 0, 1 - entropy / np.log(len(present)), np.nan)


def class_weights(probe: LinearClassifier, num_classes: int) -> np.ndarray:
    """Returns the weights of a linear head, (class, feature); NaN for a class that it was not fitted on.

    They belong to standardised features, so weights of different features can be compared (fig. A.1 of Kalibhat et
    al., 2022, arXiv 2203.01881v2). A head for two classes has one row w; -w / 2 and w / 2 give the same probabilities.

    Args:
        probe: Fitted on classes counted from 0.
        num_classes: Number of rows to return.
    """
    found = probe.coefficients
    rows = found if len(found) > 1 else np.concatenate([-found, found]) / 2
    weights = np.full((num_classes, rows.shape[1]), np.nan)
    weights[probe.classes] = rows
    return weights


def feature_groups(counts: np.ndarray, discriminative: np.ndarray) -> dict[str, np.ndarray]:
    """Returns masks over the features: D, the tails to its left and right in fig. 3, and the two tails together.

    Features that are never dominant are in none of them: they would make whatever stands beside D look poor.

    Args:
        counts: Number of samples for which each feature is dominant.
        discriminative: True for the features of D.

    >>> groups = feature_groups(np.array([0, 1, 5, 9]), np.array([False, False, True, False]))
    >>> {name: np.flatnonzero(mask).tolist() for name, mask in groups.items()}
    {'discriminative': [2], 'lower_tail': [1], 'upper_tail': [3], 'other': [1, 3]}
    """
    inside = counts[discriminative]
    lower = (counts > 0) & (counts < inside.min(initial=counts.max() + 1)) & bool(len(inside))
    upper = (counts > inside.max(initial=0)) & bool(len(inside))
    other = (counts > 0) & ~discriminative
    return {"discriminative": discriminative, "lower_tail": lower, "upper_tail": upper, "other": other}
