"""Agreement of two namings beside what concepts of their sizes agree by chance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qscore.interpretability.naming.matching import match_namings

NUM_PERMUTATIONS = 200


@dataclass(frozen=True)
class ChanceAgreement:
    """Agreement beside that of the same concepts on shuffled activations.

    Attributes:
        agreement: Of the two namings.
        expected: Mean over permutations of one of them; large where many concepts meet by chance.
        deviation: Standard deviation over the permutations.
        excess: agreement - expected: 0 for namings that have nothing to do with one another.
        p_value: Share of permutations, the namings as they are included, that agree as much.
    """

    agreement: float
    expected: float
    deviation: float
    excess: float
    p_value: float


def agreement_beyond_chance(
    first: Int[np.ndarray, " activation"],
    second: Int[np.ndarray, " _"],
    *,
    shape: str = "star",
    min_weight: int = 1,
    num_permutations: int = NUM_PERMUTATIONS,
    seed: int = 0,
) -> ChanceAgreement | None:
    """Returns the agreement of two namings, and how much of it concepts of these sizes have by chance.

    The concepts of the second are shuffled among the activations that both named, so that sizes and coverage stay.

    Args:
        first: See `match_namings`.
        second: See `match_namings`.
        shape: See `match_namings`.
        min_weight: See `match_namings`.
        num_permutations: How often.
        seed: Of the permutations.

    Returns:
        None where no activation is named by both.

    Raises:
        UserError: See `match_namings`.
    """
    found = match_namings(first, second, shape=shape, min_weight=min_weight)
    if not found.num_common:
        return None
    generator, both = np.random.default_rng(seed), (first >= 0) & (second >= 0)
    one, other = first[both], second[both]
    drawn: Float[np.ndarray, " permutation"] = np.array(
        [
            match_namings(one, generator.permutation(other), shape=shape, min_weight=min_weight).agreement
            for _ in range(num_permutations)
        ]
    )
    as_high = 1 + int((drawn >= found.agreement - 1e-12).sum())
    expected = float(drawn.mean())
    return ChanceAgreement(
        found.agreement, expected, float(drawn.std()), found.agreement - expected, as_high / (1 + num_permutations)
    )
