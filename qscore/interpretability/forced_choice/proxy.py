"""Describability without people: are the images that a description finds those of its class? (section 5.2, table 3)."""

from collections.abc import Collection, Sequence
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


@dataclass(frozen=True)
class ProxyByGroup:
    """The same of each class described; fractions.

    Attributes:
        top1: Share of its retrieved images whose first class it is.
        top5: Share of those that have it among the first five.
        binary: Of each run, share that is more of it than an image retrieved for another class.
    """

    top1: Float[np.ndarray, " group"]
    top5: Float[np.ndarray, " group"]
    binary: Float[np.ndarray, "run group"]

    def over(self, selected: Collection[int] | None = None) -> Proxy:
        """Returns the row of table 3.

        Args:
            selected: Classes, by their place, over which the recalls are.
        """
        runs, chosen = self.binary.mean(1), sorted(selected) if selected else None
        return Proxy(
            float(self.top1.mean()),
            float(self.top5.mean()),
            float(runs.mean()),
            float(runs.std(ddof=1)) if len(runs) > 1 else 0.0,
            float(self.top1[chosen].mean()) if chosen else None,
            float(self.top5[chosen].mean()) if chosen else None,
        )


def describability_proxy(
    retrieved: Int[np.ndarray, "group num"],
    scores: Float[np.ndarray, "sample group"],
    *,
    selected: Collection[int] | None = None,
    num_runs: int = NUM_RUNS,
    seed: int = 0,
) -> Proxy:
    """Returns how well the images retrieved for each class are told to be of it, over all classes.

    Args:
        retrieved: Images of the pool found for the description of each class, as by `retrieve`.
        scores: p of the pool: how much each image is of each class.
        selected: Classes, by their place, over which the recalls are.
        num_runs: Draws of negatives that the binary test is averaged over.
        seed: Of the draws.

    Raises:
        UserError: As `proxy_by_group`; if a selected class does not exist.

    >>> p = describability_proxy(np.array([[0], [1]]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> p.top1, p.top5, p.binary
    (0.5, 1.0, 1.0)
    """
    if unknown := [str(group) for group in selected or () if not 0 <= group < len(retrieved)]:
        raise UserError(f"Expected selected classes from 0 to {len(retrieved) - 1}, got {listed(unknown)}.")
    return proxy_by_group(retrieved, scores, num_runs=num_runs, seed=seed).over(selected)


def proxy_by_group(
    retrieved: Int[np.ndarray, "described num"],
    scores: Float[np.ndarray, "sample group"],
    *,
    described: Sequence[int] | None = None,
    num_runs: int = NUM_RUNS,
    seed: int = 0,
) -> ProxyByGroup:
    """Returns how well the images retrieved for each class are told to be of it.

    In the binary test each is compared with one drawn from those retrieved for other classes, as often as they were:
    where two descriptions find the same images, neither says what is special, and the test is a coin.

    Args:
        retrieved: Images of the pool found for each description.
        scores: p of the pool. Of equal classes the first counts as higher; in the binary test equal ones count half.
        described: Class of each description, by its place in the scores, where not all classes have one.
        num_runs: Draws of negatives.
        seed: Of the draws.

    Raises:
        UserError: If there are fewer than 2 descriptions, numbers differ, a retrieved image does not exist, or a score
            is not a number.
    """
    groups = np.arange(scores.shape[1]) if described is None else np.array(described)
    _check(retrieved, scores, groups, num_runs)
    num_groups, num = retrieved.shape
    of_own = scores[retrieved, groups[:, None]]
    rank = np.stack([_rank(scores[found], group) for group, found in zip(groups.tolist(), retrieved, strict=True)])
    generator = np.random.default_rng(seed)
    places, runs = np.arange(num_groups)[:, None], []
    for _ in range(num_runs):
        others = (places + generator.integers(1, num_groups, size=(num_groups, num))) % num_groups
        negatives = retrieved[others, generator.integers(num, size=(num_groups, num))]
        of_negative = scores[negatives, groups[:, None]]
        runs.append(((of_own > of_negative) + 0.5 * (of_own == of_negative)).mean(1))
    return ProxyByGroup((rank < 1).mean(1), (rank < 5).mean(1), np.stack(runs))


def _rank(scores: Float[np.ndarray, "num group"], group: int) -> Int[np.ndarray, " num"]:
    """How many classes come before one."""
    own = scores[:, [group]]
    found: np.ndarray = (scores > own).sum(1) + (scores[:, :group] == own).sum(1)
    return found


def _check(retrieved: np.ndarray, scores: np.ndarray, groups: np.ndarray, num_runs: int) -> None:
    if len(retrieved) != len(groups) or len(retrieved) < 2 or num_runs < 1:
        raise UserError(
            f"Expected images for each of at least 2 classes and 1 run, got images for {len(retrieved)}, scores for "
            f"{len(groups)} and {num_runs} runs."
        )
    if retrieved.min() < 0 or retrieved.max() >= len(scores) or np.isnan(scores).any():
        raise UserError(f"Expected scores of every retrieved image that are numbers, got scores of {len(scores)}.")
