"""How many samples an epsilon leaves without a Q-Score, and the largest that leaves few."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qscore.errors import UserError
from qscore.score.chunks import by_rows
from qscore.score.dominance import dominant_features
from qscore.score.features import discriminative_features

AUTO = "auto"
MAX_EMPTY_SHARE = 0.05
MAX_SEARCH_SAMPLES = 20_000  # the share of empty sets is then known to half a percent


def empty_share(h: Float[Tensor, "sample feature"], discriminative: Bool[Tensor, " feature"], epsilon: float) -> float:
    """Returns the share of samples whose L ∩ D is empty: the ones that Q cannot rank nor the regularizer touch.

    >>> h = torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    >>> empty_share(h, torch.ones(5, dtype=torch.bool), epsilon=1.5)
    0.5
    """
    scored = by_rows(lambda part: (dominant_features(part, epsilon) & discriminative).any(-1), h)
    return 1.0 - float(scored.double().mean())


def largest_epsilon(
    h: Float[Tensor, "sample feature"], *, max_empty: float = MAX_EMPTY_SHARE, lower: float = 0.5, upper: float = 0.95
) -> float | None:
    """Returns the largest epsilon, in steps of 0.1, that leaves at most `max_empty` of the samples without L ∩ D.

    D is mined anew at each epsilon. Uses 20,000 samples drawn at random where there are more.

    Returns:
        The epsilon, or None where even 0.1 leaves more samples empty (constant or all-zero representations).

    >>> largest_epsilon(torch.eye(17), lower=0.0, upper=1.0)
    3.9
    """
    if len(h) > MAX_SEARCH_SAMPLES:
        h = h[search_sample(len(h))]
    h = h.double()
    deviation = h.std(-1, correction=0, keepdim=True)
    z = (h - h.mean(-1, keepdim=True)) / deviation.clamp_min(torch.finfo(h.dtype).tiny)
    # More samples than allowed have an empty L above this quantile, and so an empty L ∩ D.
    highest = torch.quantile(z.amax(-1), max_empty, interpolation="higher")
    for tenths in range(math.ceil(10 * float(highest)), 0, -1):
        dominant = z > tenths / 10
        discriminative = discriminative_features(dominant.sum(0), lower=lower, upper=upper)
        if 1 - float((dominant & discriminative).any(-1).double().mean()) <= max_empty:
            return tenths / 10
    return None


def search_sample(num_samples: int) -> Int[Tensor, " sample"]:
    """Returns which of some samples an epsilon is searched on, in ascending order: all, or 20,000 drawn at random."""
    if num_samples <= MAX_SEARCH_SAMPLES:
        return torch.arange(num_samples)
    drawn = torch.randperm(num_samples, generator=torch.Generator().manual_seed(0))[:MAX_SEARCH_SAMPLES]
    return drawn.sort().values


def epsilon_number(
    epsilon: float | str, h: Float[Tensor, "sample feature"], *, lower: float = 0.5, upper: float = 0.95
) -> float:
    """Returns an epsilon that is a number, or the `largest_epsilon` of some representations for "auto".

    Raises:
        UserError: If it is neither, or the representations have no such epsilon.

    >>> epsilon_number("auto", torch.eye(17), lower=0.0, upper=1.0)
    3.9
    """
    if not isinstance(epsilon, str):
        return float(epsilon)
    if epsilon != AUTO:
        raise UserError(f"Expected epsilon to be a number or {AUTO}, got '{epsilon}'.")
    chosen = largest_epsilon(h, lower=lower, upper=upper)
    if chosen is None:
        raise UserError(
            "epsilon=auto found no epsilon that leaves at most 5 % of the samples with an empty L ∩ D: the "
            "representations hardly differ between features. The encoder has collapsed, or was never trained."
        )
    return chosen
