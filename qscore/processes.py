"""What several processes of one training share: sums and means of tensors, with gradient."""

from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist


def num_processes() -> int:
    """Returns how many processes train together; 1 before they have met."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def own_rank() -> int:
    """Returns the number of this process among them."""
    return dist.get_rank() if num_processes() > 1 else 0


def sum_over_processes(values: Tensor) -> Tensor:
    """Returns the sum of a tensor over all processes, the same on each; the tensor itself where there is one.

    The gradient is that of the sum of all processes' losses, as in torch's SyncBatchNorm: DDP divides by the number of
    processes afterwards, and the losses of this package are means.
    """
    return values if num_processes() == 1 else _Sum.apply(values)


def mean_over_processes(values: Tensor) -> Tensor:
    """Returns the mean of a tensor over all processes, see `sum_over_processes`."""
    return sum_over_processes(values / num_processes()) if num_processes() > 1 else values


def means_over_processes(numbers: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the means of detached numbers by name, in one exchange."""
    if num_processes() == 1 or not numbers:
        return numbers
    means = mean_over_processes(torch.stack([number.detach().float() for number in numbers.values()]))
    return dict(zip(numbers, means.unbind(), strict=True))


def gathered(values: Tensor) -> Tensor:
    """Returns the rows that the processes hold, those of the first one first; each may hold another number of them."""
    if num_processes() == 1:
        return values
    shares: list[Tensor] = [values] * num_processes()
    dist.all_gather_object(shares, values.cpu())
    return torch.cat(shares)


def part() -> None:
    """Ends what the processes share, once; torchrun's could not meet a second time."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


class _Sum(torch.autograd.Function):
    """`torch.distributed.nn.functional.all_reduce`, which torch 2.12 and later call deprecated."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return _Sum.forward(_, gradient)
