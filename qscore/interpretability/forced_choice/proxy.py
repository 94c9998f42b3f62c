"""Describability without people: are the images that a description finds those of its class? (section 5.2, table 3)."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.concepts import listed

NUM_RUNS = 10


@dataclass(frozen=True)
class Proxy:
    """A row of table 3; fractions.

    Attributes:
        top1: Share of the retrieved images whose first class is the one described.
        top5: Share of those that have it among the first five.
        binary: Share that is more of the class described than an image retrieved for another one: the forced choice.
        binary_sd: Its standard deviation over the runs.
        recall1: `top1` over the selected classes, those shown to people; None where none are selected.
        recall5: `top5` over them.
    """

    top1: float
    top5: float
    binary: float
    binary_sd: float
    recall1: float | None
    recall5: float | None


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


def describability_proxy(
    retrieved: Int[np.ndarray, "group num"],
    scores: Float[np.ndarray, "sample group"],
    *,
    selected: Collection[int] | None = None,
    num_runs: int = NUM_RUNS,
    seed: int = 0,
) -> Proxy:
    """Returns how well the images retrieved for each class are told to be of it.

    In the binary test each is compared with one drawn from those retrieved for other classes, as often as they were:
    where two descriptions find the same images, neither says what is special, and the test is a coin.

    Args:
        retrieved: Images of the pool found for the description of each class, as by `retrieve`.
        scores: p of the pool: how much each image is of each class. Of equal classes the first counts as higher; in the
            binary test equal ones count half.
        selected: Classes, by their place, over which the recalls are.
        num_runs: Draws of negatives that the binary test is averaged over.
        seed: Of the draws.

    Raises:
        UserError: If there are fewer than 2 classes, their numbers differ, a selected one or a retrieved image does not
            exist, or a score is not a number.

    >>> p = describability_proxy(np.array([[0], [1]]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> p.top1, p.top5, p.binary
    (0.5, 1.0, 1.0)
    """
    num_groups, num = retrieved.shape
    _check(retrieved, scores, selected, num_runs)
    groups = np.arange(num_groups)[:, None]
    of_own = scores[retrieved, groups]
    rank = np.stack([_rank(scores[found], group) for group, found in enumerate(retrieved)])
    top1, top5 = (rank < 1).mean(1), (rank < 5).mean(1)
    generator = np.random.default_rng(seed)
    runs = []
    for _ in range(num_runs):
        others = (groups + generator.integers(1, num_groups, size=(num_groups, num))) % num_groups
        negatives = retrieved[others, generator.integers(num, size=(num_groups, num))]
        of_negative = scores[negatives, groups]
        runs.append(((of_own > of_negative) + 0.5 * (of_own == of_negative)).mean())
    chosen = sorted(selected) if selected else None
    return Proxy(
        float(top1.mean()),
        float(top5.mean()),
        float(np.mean(runs)),
        float(np.std(runs, ddof=1)) if num_runs > 1 else 0.0,
        float(top1[chosen].mean()) if chosen else None,
        float(top5[chosen].mean()) if chosen else None,
    )


def _rank(scores: Float[np.ndarray, "num group"], group: int) -> Int[np.ndarray, " num"]:
    """How many classes come before one."""
    own = scores[:, [group]]
    found: np.ndarray = (scores > own).sum(1) + (scores[:, :group] == own).sum(1)
    return found


def _check(retrieved: np.ndarray, scores: np.ndarray, selected: Collection[int] | None, num_runs: int) -> None:
    if len(retrieved) != scores.shape[1] or len(retrieved) < 2 or num_runs < 1:
        raise UserError(
            f"Expected images for each of at least 2 classes and 1 run, got images for {len(retrieved)}, scores for "
            f"{scores.shape[1]} and {num_runs} runs."
        )
    if retrieved.min() < 0 or retrieved.max() >= len(scores) or np.isnan(scores).any():
        raise UserError(f"Expected scores of every retrieved image that are numbers, got scores of {len(scores)}.")
    if unknown := [str(group) for group in selected or () if not 0 <= group < len(retrieved)]:
        raise UserError(f"Expected selected classes from 0 to {len(retrieved) - 1}, got {listed(unknown)}.")
