"""The nearest neighbours of representations: exact, in bounded memory, on any device."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

QUERIES = 512  # at a time
BLOCK = 2**25  # numbers of the bank at a time: 128 MiB
GROUP = 16


@torch.no_grad()
def neighbours(
    h: Float[Tensor, "sample feature"],
    bank: Float[Tensor, "member feature"],
    k: int,
    *,
    device: torch.device | str | None = None,
) -> tuple[Float[Tensor, "sample k"], Int[Tensor, "sample k"]]:
    """Returns cosine similarity and position of the k nearest members of a bank, nearest first.

    Of equal similarities the one at the lower position is nearer. Every pair is compared, in the precision of `h`
    (float32 at least), block by block: beside the result this needs about 0.5 GB, and a bank that is mapped from a
    file is read once and never copied whole.

    Args:
        h: What to find neighbours of.
        bank: Where to find them.
        k: How many, from 1 to the size of the bank.
        device: Where to compute; that of `h` by default. The result is on the device of `h`.

    >>> neighbours(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0], [3.0, 0.0], [1.0, 0.0]]), k=2)
    (tensor([[1., 1.]]), tensor([[1, 2]]))
    """
    if not 1 <= k <= len(bank):
        raise ValueError(f"Expected k from 1 to the {len(bank)} members of the bank, got {k}.")
    device = h.device if device is None else torch.device(device)
    dtype = torch.promote_types(h.dtype, torch.float32)
    values = torch.empty(len(h), k, dtype=dtype, device=h.device)
    index = torch.zeros(len(h), k, dtype=torch.long, device=h.device)
    num_found = 0
    with _full_precision():
        for start, block in _blocks(bank, device, dtype):
            num_kept = min(k, num_found + len(block))
            for first in range(0, len(h), QUERIES):
                rows = slice(first, first + QUERIES)
                queries = F.normalize(h[rows].to(device, dtype), dim=1)
                found, places = _nearest(queries @ block.T, min(k, len(block)))
                if num_found:
                    old = values[rows, :num_found].to(device), index[rows, :num_found].to(device)
                    found, places = _merged(*old, found, places + start, num_kept)
                values[rows, :num_kept], index[rows, :num_kept] = found.to(h.device), places.to(h.device)
            num_found = num_kept
    return values, index


def _blocks(bank: Tensor, device: torch.device, dtype: torch.dtype) -> Iterator[tuple[int, Tensor]]:
    size = max(1, BLOCK // bank.shape[1])
    for start in range(0, len(bank), size):
        yield start, F.normalize(bank[start : start + size].to(device, dtype), dim=1)


def _nearest(similarity: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row in descending order, equal ones in ascending order of position."""
    values, index = _largest(similarity, min(k + 1, similarity.shape[1]))
    if values.shape[1] > k:
        tied = (values[:, k - 1] == values[:, k]).nonzero().flatten()  # others have a set of k that is theirs alone
        values, index = values[:, :k].contiguous(), index[:, :k].contiguous()
        if len(tied):
            index[tied] = _first_of_equals(similarity[tied], values[tied, -1:], k)
    index = index.sort(1).values
    values, order = similarity.gather(1, index).sort(dim=1, descending=True, stable=True)
    return values, index.gather(1, order)


def _largest(similarity: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """`topk` by way of the maxima of groups: the k largest lie in the k groups whose maxima are the largest."""
    num_groups = similarity.shape[1] // GROUP
    if num_groups < 2 * k:
        return similarity.topk(k, dim=1)
    whole, rest = torch.split(similarity, [num_groups * GROUP, similarity.shape[1] - num_groups * GROUP], dim=1)
    groups = whole.reshape(-1, GROUP, num_groups)
    chosen = groups.amax(1).topk(k, dim=1, sorted=False).indices
    places = chosen[:, None] + num_groups * torch.arange(GROUP, device=chosen.device)[:, None]
    candidates = groups.gather(2, chosen[:, None].expand(-1, GROUP, -1)).flatten(1)
    values, index = torch.cat([candidates, rest], 1).topk(k, dim=1)
    last = torch.arange(whole.shape[1], similarity.shape[1], device=chosen.device).expand(len(chosen), -1)
    return values, torch.cat([places.flatten(1), last], 1).gather(1, index)


def _first_of_equals(similarity: Tensor, smallest: Tensor, k: int) -> Tensor:
    """Positions of the k largest of each row, the first ones of those that equal the k-th."""
    above, equal = similarity > smallest, similarity == smallest
    wanted = k - above.sum(1, keepdim=True)
    return (above | (equal & (equal.cumsum(1, dtype=torch.int32) <= wanted))).nonzero()[:, 1].view(-1, k)


def _merged(old: Tensor, old_index: Tensor, new: Tensor, new_index: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of two sorted lists; old positions are the lower ones, and stand first among equals."""
    values, order = torch.cat([old, new], 1).sort(dim=1, descending=True, stable=True)
    return values[:, :k], torch.cat([old_index, new_index], 1).gather(1, order[:, :k])


@contextmanager
def _full_precision() -> Iterator[None]:
    """Products in float32 whatever training has allowed (TF32, bfloat16)."""
    allowed = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(allowed)
