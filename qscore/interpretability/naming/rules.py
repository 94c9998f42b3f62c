"""The rules of Excitation Backprop, for every operation of a convolutional network.

Zhang, Lin, Brandt, Shen and Sclaroff, Top-down Neural Attention by Excitation Backprop, ECCV 2016, arXiv 1608.00507. In
the backward pass a gradient is replaced by relevance, a share of what the output is made of, which is never negative
and whose sum stays the same. The operations are caught where torch is called, so that no module is changed and sums in
a block's own code are seen as well.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.overrides import TorchFunctionMode

from qscore.errors import UserError

WEIGHTED = frozenset({"conv1d", "conv2d", "conv3d", "linear"})
AVERAGES = frozenset({"mean"} | {f"{kind}avg_pool{d}d" for kind in ("", "adaptive_") for d in (1, 2, 3)})
# One output for one input, whose sign or size alone changes.
PASSING = frozenset({"batch_norm", "relu", "relu_", "relu6", "hardtanh", "dropout", "dropout2d"})
SUMS = frozenset({"add", "add_", "__add__", "__iadd__", "__radd__"})
# With a constant they only scale or shift.
AFFINE = SUMS | {"sub", "__sub__", "__isub__", "mul", "__mul__", "__imul__", "__rmul__", "div", "__truediv__"}
# Values go to other places, and so their gradient does: from there to where they came from.
MOVING = frozenset(
    {f"{kind}max_pool{d}d" for kind in ("", "adaptive_") for d in (1, 2, 3)}
    | set(
        ["flatten", "unflatten", "reshape", "view", "permute", "transpose", "movedim", "squeeze", "unsqueeze", "flip"]
    )
    | set(["contiguous", "clone", "to", "float", "double", "pad", "cat", "stack", "chunk", "split", "__getitem__"])
)
Operation = Callable[..., Any]
Args = tuple[Any, ...]


class ExcitationRules(TorchFunctionMode):
    """Within it, outputs are what they are without, bit for bit, and gradients of activations are relevance.

    - A convolution or linear layer, z = W x + b: r_in = x * W+^T (r_out / (W+ x)); the bias takes no share. Averages
      are the same with their own weights.
    - BatchNorm, ReLU and a constant factor or summand pass relevance on.
    - Max-pooling, like everything that moves values, passes it to where the value came from.
    - A sum of two branches splits it in proportion to what is positive in each.

    Every x counts as far as it is positive. Where W+ x is 0, the relevance is lost: it came from biases alone. What is
    none of these says so as soon as relevance reaches it.
    """

    def __torch_function__(
        self, func: Operation, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs, name = dict(kwargs or {}), getattr(func, "__name__", str(func))
        tracked = [value for value in args if _is_tracked(value)]
        if name in SUMS and len(tracked) == 2 and args[0].shape == args[1].shape and not kwargs:
            return _Sum.apply(args[0], args[1])
        if name in WEIGHTED | AVERAGES and len(tracked) == 1 and tracked[0] is args[0]:
            return _Weighted.apply(args[0], func, name, args[1:], kwargs)
        if name in PASSING | AFFINE and len(tracked) == 1:
            return _Pass.apply(tracked[0], func, args, kwargs)
        output = func(*args, **kwargs)
        return output if name in MOVING else _refused(output, name)


def _is_tracked(value: object) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _refused(output: Any, name: str) -> Any:
    if isinstance(output, tuple | list):
        return type(output)(_refused(value, name) for value in output)
    return _Refused.apply(output, name) if _is_tracked(output) else output


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """Part / whole, and 0 where the whole is."""
    is_there = whole > torch.finfo(whole.dtype).tiny
    return torch.where(is_there, part / torch.where(is_there, whole, 1), 0)


class _Weighted(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, func: Operation, name: str, args: Args, kwargs: dict[str, Any]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.func, ctx.name, ctx.rest = func, name, (args, kwargs)
        output: Tensor = func(x, *args, **kwargs)
        return output

    @staticmethod
    def backward(ctx: Any, *relevance: Tensor) -> Any:
        args, kwargs = ctx.rest
        if ctx.name in WEIGHTED:
            args, kwargs = _without_bias(args, kwargs)
        x = ctx.saved_tensors[0].detach().clamp(min=0).requires_grad_()
        with torch.enable_grad():
            z = ctx.func(x, *args, **kwargs)
        (taken,) = torch.autograd.grad(z, x, _share(relevance[0], z.detach()))
        return x.detach() * taken, None, None, None, None


def _without_bias(args: Args, kwargs: dict[str, Any]) -> tuple[Args, dict[str, Any]]:
    """W+ in place of W, None in place of b, wherever they stand."""
    values = [*args]
    for place, name in enumerate(("weight", "bias")):
        if place < len(values):
            values[place] = values[place].clamp(min=0) if name == "weight" else None
        elif name in kwargs:
            kwargs = {**kwargs, name: kwargs[name].clamp(min=0) if name == "weight" else None}
    return tuple(values), kwargs


class _Sum(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return a + b

    @staticmethod
    def backward(ctx: Any, *relevance: Tensor) -> Any:
        a, b = (x.clamp(min=0) for x in ctx.saved_tensors)
        each = _share(relevance[0], a + b)
        return a * each, b * each


class _Pass(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, func: Operation, args: Args, kwargs: dict[str, Any]) -> Tensor:
        # Many of these write in place, into what a sum or a layer before still has to look at.
        output: Tensor = func(*(value.clone() if value is x else value for value in args), **kwargs)
        return output

    @staticmethod
    def backward(ctx: Any, *relevance: Tensor) -> Any:
        return relevance[0], None, None, None


class _Refused(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, name: str) -> Tensor:
        ctx.name = name
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *relevance: Tensor) -> Any:
        raise UserError(
            "Expected a network of convolutions, linear layers, BatchNorm, ReLU, pooling and sums between features "
            f"and layer, got the operation '{ctx.name}', for which Excitation Backprop is not defined; choose a "
            "later layer, or method='gradient_activation'."
        )
