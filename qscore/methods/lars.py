"""LARS without a wait for the device."""

from collections.abc import Callable
from typing import Any

import torch
from lightly.utils import lars
from torch import Tensor


class LARS(lars.LARS):  # type: ignore[misc]
    """lightly's LARS, the same to rounding, for all parameters of a group together.

    Large batch training of convolutional networks, You, Gitman and Ginsburg, 2017, arXiv 1708.03888, eq. 6; as in
    lightly, parameters without weight decay keep their learning rate. lightly's own loop asks the device, for each
    parameter, whether a norm is zero: on a GPU that stops the step some sixty times. Here a norm of zero is a `where`.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Makes one step; returns the loss of the closure, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                self._step(group, parameters, [p.grad for p in parameters if p.grad is not None])
        return loss

    def _step(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        updates = _adapted(group, parameters, gradients) if group["weight_decay"] else gradients
        if momentum := group["momentum"]:
            old = [i for i, p in enumerate(parameters) if "momentum_buffer" in self.state[p]]
            for i in set(range(len(parameters))) - set(old):
                self.state[parameters[i]]["momentum_buffer"] = updates[i].clone()
            buffers = [self.state[p]["momentum_buffer"] for p in parameters]
            if old:
                moving = [buffers[i] for i in old]
                torch._foreach_mul_(moving, momentum)
                torch._foreach_add_(moving, [updates[i] for i in old], alpha=1 - group["dampening"])
            updates = list(torch._foreach_add(updates, buffers, alpha=momentum)) if group["nesterov"] else buffers
        torch._foreach_add_(parameters, updates, alpha=-group["lr"])


def _adapted(group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> list[Tensor]:
    """Returns gradients with weight decay, scaled to the norm of their parameter; as they are where a norm is zero."""
    decay = group["weight_decay"]
    norms, gradient_norms = torch.stack(torch._foreach_norm(parameters)), torch.stack(torch._foreach_norm(gradients))
    both = (norms != 0) & (gradient_norms != 0)
    rates = group["trust_coefficient"] * norms / (gradient_norms + norms * decay + group["eps"])
    rates, decays = torch.where(both, rates, 1.0), torch.where(both, decay, 0.0)
    updates = torch._foreach_mul(parameters, list(decays.unbind()))
    torch._foreach_add_(updates, gradients)
    torch._foreach_mul_(updates, list(rates.unbind()))
    return list(updates)
