"""How far the names of people go (Hamidi-Haines et al., sections 4.1 to 4.3): figs. 3 to 6, tables 2 and 3.

A naming is the concept of each activation, -1 where it has none, whether it was discarded or left alone.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from qscore.interpretability.naming.matching import UNNAMED

MIN_IMAGES = 3


@dataclass(frozen=True)
class Coverage:
    """Shares that are named, by one annotator or by any.

    Attributes:
        activations: Of the significant activations (fig. 3).
        partial: Of the images, those with one named activation at least (fig. 4).
        complete: Of the images, those with no other (fig. 5).
    """

    activations: float
    partial: float
    complete: float


def coverage(named: Bool[np.ndarray, " activation"], images: Int[np.ndarray, " activation"]) -> Coverage:
    """Returns how much is named; an image without a significant activation counts nowhere.

    Args:
        named: Of each activation; of any annotator `named.any(0)`.
        images: Number of the image that each is in.

    >>> coverage(np.array([True, True, False, False]), np.array([0, 0, 1, 2]))
    Coverage(activations=0.5, partial=0.3333333333333333, complete=0.3333333333333333)
    """
    if not len(named):
        return Coverage(*[float("nan")] * 3)
    _, image = np.unique(images, return_inverse=True)
    share = np.bincount(image, named) / np.bincount(image)
    return Coverage(float(named.mean()), float((share > 0).mean()), float((share == 1).mean()))


def named_by_exactly(named: Bool[np.ndarray, "annotator activation"]) -> Float[np.ndarray, " count"]:
    """Returns the share of activations that n annotators named, for n from 0 to all of them (fig. 6).

    >>> named_by_exactly(np.array([[True, True, False, False], [True, False, True, False]]))
    array([0.25, 0.5 , 0.25])
    """
    counts = np.bincount(named.sum(0), minlength=len(named) + 1)
    return np.asarray(counts / max(named.shape[1], 1))


def cx_purity(naming: Int[np.ndarray, " activation"], features: Int[np.ndarray, " activation"]) -> float:
    """Returns the share of named activations that belong to the most frequent feature of their concept (table 2).

    nan where nothing is named.

    >>> cx_purity(np.array([0, 0, 0, 1, -1]), np.array([7, 7, 8, 8, 8]))
    0.75
    """
    return _purity(naming, features, naming >= 0)


def xc_purity(naming: Int[np.ndarray, " activation"], features: Int[np.ndarray, " activation"]) -> float:
    """Returns the share of named activations that belong to the most frequent concept of their feature (table 3).

    nan where nothing is named.

    >>> xc_purity(np.array([0, 0, 0, 1, -1]), np.array([7, 7, 8, 8, 8]))
    0.75
    """
    return _purity(features, naming, naming >= 0)


def jaccard(first: Bool[np.ndarray, " activation"], second: Bool[np.ndarray, " activation"]) -> float:
    """Returns how many activations both annotators named, of those that either did (table 5); nan if neither did any.

    >>> jaccard(np.array([True, True, False]), np.array([True, False, True]))
    0.3333333333333333
    """
    either = int((first | second).sum())
    return int((first & second).sum()) / either if either else float("nan")


def without_small_concepts(
    naming: Int[np.ndarray, " activation"], images: Int[np.ndarray, " activation"], *, min_images: int = MIN_IMAGES
) -> Int[np.ndarray, " activation"]:
    """Returns a naming without the concepts that are seen in few images (section 4, cleaning).

    Args:
        naming: Concept of each activation.
        images: Number of the image that each is in; two activations in one image are one image.
        min_images: The paper's 3.

    >>> without_small_concepts(np.array([0, 0, 0, 1, 1, 1]), np.array([1, 2, 3, 1, 1, 2]))
    array([ 0,  0,  0, -1, -1, -1])
    """
    cleaned = naming.copy()
    for concept in np.unique(naming[naming >= 0]):
        if len(np.unique(images[naming == concept])) < min_images:
            cleaned[naming == concept] = UNNAMED
    return cleaned


def _purity(
    groups: Int[np.ndarray, " activation"],
    kinds: Int[np.ndarray, " activation"],
    counts: Bool[np.ndarray, " activation"],
) -> float:
    pairs, num = np.unique(np.stack([groups[counts], kinds[counts]]), axis=1, return_counts=True)
    most = [num[pairs[0] == group].max() for group in np.unique(pairs[0])]
    return float(sum(most) / counts.sum()) if counts.any() else float("nan")
