"""Row by row, without a copy of everything: representations may be a mapped file larger than the memory."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

ELEMENTS_AT_ONCE = 2**23  # 64 MB in float64, which dominance is computed in


def chunks(h: Float[Tensor, "sample feature"]) -> Iterator[Float[Tensor, "_ feature"]]:
    """Yields consecutive rows, few enough for a temporary copy or two."""
    yield from torch.split(h, max(1, ELEMENTS_AT_ONCE // max(1, h.shape[1])))


def in_chunks(function: Callable[[Tensor], Tensor], h: Float[Tensor, "sample feature"]) -> Tensor:
    """Returns a function of each row, computed a few rows at a time.

    >>> in_chunks(lambda part: part.sum(-1), torch.ones(3, 2))
    tensor([2., 2., 2.])
    """
    return torch.cat([function(part) for part in chunks(h)])
