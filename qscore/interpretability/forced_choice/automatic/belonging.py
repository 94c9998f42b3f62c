"""How much images are of each group, by the representation that the groups are of: p_c in section 5.2."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from qscore.evaluation import EvaluationInputs
from qscore.evaluation.linear import Standardisation
from qscore.interpretability.membership import Members, members_by_group
from qscore.interpretability.reverse_probing.clustered import DOMINANT, Clustered


def class_scores(
    features: Float[np.ndarray, "sample feature"], centres: Float[np.ndarray, "group feature"]
) -> Float[np.ndarray, "sample group"]:
    """Returns how much each sample is of each class: minus its squared distance to the centre.

    Only the order matters, so that this stands for a softmax of distances at any temperature. For a network with labels
    of its own, its logits do instead.

    >>> class_scores(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 0.0]]))
    array([[-0., -1.]])
    """
    squares = np.square(features).sum(1)[:, None] + np.square(centres).sum(1)
    found: np.ndarray = -np.maximum(0, squares - 2 * features @ centres.T)
    return found


def chance(scores: Float[np.ndarray, "sample group"], first: int) -> Float[np.ndarray, " group"]:
    """Returns the share of the samples that have each class among the first: what images drawn at random find.

    Over all classes the mean is one over their number, over those chosen for their size it is more. Of equal scores
    that of the first class counts as higher.

    >>> chance(np.array([[3.0, 1.0], [2.0, 1.0], [0.0, 1.0], [1.0, 1.0]]), 1)
    array([0.75, 0.25])
    """
    found = np.argsort(-scores, axis=1, kind="stable")[:, :first]
    return np.bincount(found.ravel(), minlength=scores.shape[1]) / len(scores)


def belonging(inputs: EvaluationInputs, found: Clustered, grouping: str) -> Float[np.ndarray, "sample group"]:
    """Returns p_c of the held-out images, for every group that has training images, in ascending order.

    Of k-means minus the squared distance to the centre, in the standardised space that was clustered. Of dominant
    features the feature itself. Of other groups the distance to the mean of their training images, standardised by all
    of these.

    Args:
        inputs: Representations.
        found: The groups of the training images, as by `clustered`.
        grouping: What they were asked for as.
    """
    members = members_by_group(found.groupings[0], len(inputs.train.h))
    if grouping == DOMINANT:
        return inputs.test.h[:, list(members)].numpy().astype(np.float64)
    if found.quantizers:
        quantizer = found.quantizers[0]
        centres = quantizer.centroids[list(members)]
        return class_scores(_array(quantizer.standardised(inputs.test.h)), _array(centres))
    scaling = Standardisation.of(inputs.train.h, torch.arange(len(inputs.train.h)), constant=float("inf"))
    pool = scaling.of_rows(inputs.test.h, torch.arange(len(inputs.test.h)))
    return class_scores(_array(pool), _means(inputs.train.h, members, scaling))


def _means(h: Tensor, members: Members, scaling: Standardisation) -> Float[np.ndarray, "group feature"]:
    rows = (torch.from_numpy(own) for own in members.values())
    return np.stack([scaling.of_rows(h, own).double().mean(0).numpy() for own in rows])


def _array(values: Tensor) -> Float[np.ndarray, "row feature"]:
    return values.numpy().astype(np.float64)
