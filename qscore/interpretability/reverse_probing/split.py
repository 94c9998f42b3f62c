"""Which samples a reverse probe is fitted on, chosen by, and measured on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

TEST, VALIDATION = 0.2, 0.2


@dataclass(frozen=True)
class Split:
    """Positions of samples, ascending.

    Attributes:
        train: The probe is fitted here.
        validation: Its settings are chosen here.
        test: Everything is measured here.
        num_alone: Samples that are alone in their cluster: they cannot be on two sides and are trained on.
    """

    train: Int[np.ndarray, " _"]
    validation: Int[np.ndarray, " _"]
    test: Int[np.ndarray, " _"]
    num_alone: int


def stratified_split(clusters: Int[np.ndarray, " sample"], seed: int = 0) -> Split:
    """Returns 20 % of every cluster to test on, and 20 % of the rest to validate on (Laina et al., appendix C).

    A cluster too small for its 20 % gives a sample or none, so that the whole comes to 20 %: all samples, shuffled
    within their clusters, stand in one row, and every fifth is taken. Every cluster keeps a sample to train on.

    Args:
        clusters: Cluster of each sample; a sample at -1 is in none, and on no side.
        seed: Of the order within clusters.
    """
    generator = np.random.default_rng(seed)
    members = np.flatnonzero(clusters >= 0)
    test, rest, num_alone = _part(members, clusters, TEST, generator)
    validation, train, _ = _part(rest, clusters, VALIDATION, generator)
    return Split(np.sort(train), np.sort(validation), np.sort(test), num_alone)


def _part(
    positions: np.ndarray, clusters: np.ndarray, share: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    """A share of some positions, the rest, and how many were alone."""
    shuffled = generator.permutation(positions)
    in_row = shuffled[np.argsort(clusters[shuffled], kind="stable")]
    sizes = np.unique(clusters[in_row], return_counts=True)[1]
    is_alone = np.repeat(sizes == 1, sizes)
    alone, several = in_row[is_alone], in_row[~is_alone]
    steps = np.floor(np.arange(len(several) + 1) * share + generator.random())
    is_taken = np.diff(steps) > 0
    return several[is_taken], np.concatenate([several[~is_taken], alone]), len(alone)
