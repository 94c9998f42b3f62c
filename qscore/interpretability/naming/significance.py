"""Which activations of an image matter: the fewest that make up most of its positive score."""

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qscore.errors import UserError
from qscore.evaluation.linear import LinearClassifier
from qscore.score import dominant_features

SHARE = 0.9
ROUNDING = 1e-9  # 0.6 + 0.3 is less than 0.9 in floating point


def significant(
    contributions: Float[np.ndarray, "sample term"], *, share: float = SHARE
) -> Bool[np.ndarray, "sample term"]:
    """Returns the smallest set of terms that reaches a share of the positive score (Hamidi-Haines et al., section 3.3).

    The positive score of a sample is the sum of its positive terms, without bias. (The paper's section 3.5 once says
    "weight" where this one says score; it is read as score.) The largest terms come first, of equal ones the first.

    Args:
        contributions: w_k x_k of each term; or h_ij where feature j counts, 0 elsewhere.
        share: Above 0, at most 1; the paper's 90 %.

    Returns:
        True for the terms of the set; none where no term is positive: there is no evidence.

    Raises:
        UserError: If the share is out of range, or a contribution is not finite.

    >>> significant(np.array([[0.6, -2.0, 0.1, 0.3], [-1.0, 0.0, 0.0, 0.0]]))
    array([[ True, False, False,  True],
           [False, False, False, False]])
    """
    if not 0 < share <= 1:
        raise UserError(f"Expected a share above 0 and up to 1, got {share}; write 0.9 for 90 %.")
    if not np.isfinite(contributions).all():
        raise UserError("Expected finite contributions, got others; look at the features of your encoder for nan.")
    positive = np.maximum(contributions.astype(np.float64), 0)
    order = np.argsort(-positive, axis=1, kind="stable")
    ranked = np.take_along_axis(positive, order, axis=1)
    reached = np.cumsum(ranked, axis=1) - ranked  # by the terms before
    needed = share * (1 - ROUNDING) * ranked.sum(1, keepdims=True)
    chosen = np.zeros(positive.shape, dtype=bool)
    np.put_along_axis(chosen, order, (reached < needed) & (ranked > 0), axis=1)
    return chosen


def discriminative_contributions(
    h: Float[Tensor, "sample feature"], discriminative: Bool[Tensor, " feature"], epsilon: float = 4.0
) -> Float[np.ndarray, "sample feature"]:
    """Returns h_ij of the features in L_i ∩ D, 0 elsewhere: evidence that needs no label and no class score.

    Args:
        h: Representations.
        discriminative: D.
        epsilon: Standard deviations above the mean that make a feature dominant, see `dominant_features`.
    """
    counts = dominant_features(h, epsilon) & discriminative
    return np.asarray((h * counts).double().cpu().numpy())


def logit_contributions(
    h: Float[Tensor, "sample feature"], probe: LinearClassifier, classes: Int[np.ndarray, " sample"]
) -> Float[np.ndarray, "sample feature"]:
    """Returns the terms w_cj h_ij of a linear probe's logit; what standardisation subtracts goes into the bias.

    Args:
        h: Representations.
        probe: Of two or more classes; with two, the logit of the first is minus that of the second.
        classes: Label c of the class to explain for each sample: what was predicted, or its own.

    Raises:
        UserError: If the probe does not know a class.
    """
    known = probe.classes.tolist()
    if unknown := sorted(set(classes.tolist()) - set(known)):
        raise UserError(f"Expected classes that the probe knows ({known[0]} to {known[-1]}), got {unknown[0]}.")
    weights = probe.coefficients / probe.scale
    if len(weights) == 1:
        weights = np.concatenate([-weights, weights])
    return np.asarray(h.double().cpu().numpy() * weights[np.searchsorted(probe.classes, classes)])


def mean_significant(chosen: Bool[np.ndarray, "sample term"]) -> float:
    """Returns the mean number of significant activations (table 1); samples without evidence count as well.

    >>> mean_significant(np.array([[True, False], [True, True], [False, False]]))
    1.0
    """
    return float(chosen.sum(1).mean())


def without_evidence(contributions: Float[np.ndarray, "sample term"]) -> Int[np.ndarray, " _"]:
    """Returns the positions of the samples in which no term is positive.

    >>> without_evidence(np.array([[1.0, -2.0], [0.0, -1.0]]))
    array([1])
    """
    return np.flatnonzero(~(contributions > 0).any(1))
