"""The gradients of the loss and of the term at the representations, caught in the training's own backward pass."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.utils.hooks import RemovableHandle

from qscore.regularizer.penalty import QScorePenalty


@dataclass
class _Place:
    """One tensor that the encoder returned: the gradients of the term and of the penalty there, and what arrives."""

    term: Tensor
    added: Tensor
    arrived: Tensor | None = None

    def hear(self, gradient: Tensor | None) -> None:
        if gradient is not None:  # a module may go backward more than once
            heard = gradient.detach().float()
            self.arrived = heard if self.arrived is None else self.arrived + heard

    def loss(self, scale: Tensor) -> Tensor:
        return torch.zeros_like(self.added) if self.arrived is None else self.arrived / scale - self.added


class GradientGauge:
    """Measures both gradients where the encoder returns its output, without a pass of its own, and changes neither.

    The loss's gradient is what the backward pass brings there, divided by what it brings to the loss (the factor of a
    gradient scaler, the share of an accumulated batch), less what the penalty has added. The term's is that of
    mean relu(threshold - Q), which is to say of weight 1, on a detached float32 copy of the representations, and
    from them back to what the encoder returned, be it a map or a mapping; it never enters the encoder.

    Args:
        penalty: The penalty whose calls are measured while the gauge is open.

    Attributes:
        is_open: Whether the present step is measured.
        penalty: The penalty.
    """

    def __init__(self, penalty: QScorePenalty) -> None:
        self.is_open, self.penalty = False, penalty
        self._unit = copy.deepcopy(penalty)
        self._unit.weight, self._unit.column_weight = 1.0, 0.0
        self._edges: list[GradientEdge] = []
        self._places: list[_Place] = []
        self._scale: Tensor | None = None
        self._handles: list[RemovableHandle] = [penalty.register_forward_hook(self._measure)]

    def watch(self, encoder: nn.Module) -> None:
        """Sees what an encoder returns, where nothing else tells of it."""

        def tell(caller: nn.Module, _: Any, output: Any) -> None:
            if caller is encoder:  # not a copy of it
                self.see(output)

        self._handles.append(encoder.register_forward_hook(tell))

    def see(self, output: Any) -> None:
        """Remembers where in the graph an output of the encoder stands: a head may change the tensor in place."""
        if self.is_open:
            self._edges += [get_gradient_edge(_origin(h)) for h in _tensors(output) if h.requires_grad]

    def read(self) -> Float[Tensor, "2"]:
        """Returns the norms of both gradients over all that the encoder returned to the term in a step, float32.

        Loss first. NaN if there was no backward pass; a loss that does not use what the encoder returned has 0.
        """
        places, scale = self._places, self._scale
        self.forget()
        if not places or scale is None:
            return torch.full((2,), torch.nan, device=self._unit.discriminative.device)
        return torch.stack([_norm([place.loss(scale) for place in places]), _norm([place.term for place in places])])

    def forget(self) -> None:
        """Lets go of the step's graph."""
        self._edges, self._places, self._scale = [], [], None

    def detach(self) -> None:
        """Leaves encoder and penalty as they were."""
        self.is_open = False
        self.forget()
        for handle in self._handles:
            handle.remove()

    def _measure(self, penalty: QScorePenalty, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        (h,) = inputs
        if not self.is_open or not h.requires_grad:
            return None
        edges, self._edges = self._edges, []
        term, added = _gradient(self._unit, h), _gradient(penalty, h)
        places = [
            (edge, _Place(own, penalty_own))
            for edge, own, penalty_own in zip(edges, _at(edges, h, term), _at(edges, h, added), strict=True)
            if own is not None and penalty_own is not None
        ]
        for edge, place in places:
            # Whatever is registered before `_at` would hear of that as well.
            edge.node.register_prehook(lambda arriving, place=place, nr=edge.output_nr: place.hear(arriving[nr]))
        self._places += [place for _, place in places] or [_Place(term, added)]
        zero = torch.zeros_like(output, requires_grad=True)  # meets the factor of the loss, which is not ours to touch
        zero.register_hook(self._hear_scale)  # type: ignore[no-untyped-call]
        return output + zero

    def _hear_scale(self, gradient: Tensor) -> None:
        self._scale = gradient.detach().float()


def _origin(h: Tensor) -> Tensor:
    """Returns the tensor that h is another shape of, or h: what changes a view in place goes past the view's node."""
    base = h._base
    return base if base is not None and base.requires_grad and base.numel() == h.numel() else h


def _gradient(penalty: QScorePenalty, h: Float[Tensor, "view feature"]) -> Float[Tensor, "view feature"]:
    leaf = h.detach().float().requires_grad_()
    value = penalty.forward(leaf)  # past the hooks
    return torch.autograd.grad(value, leaf)[0] if value.requires_grad else torch.zeros_like(leaf)


def _at(edges: list[GradientEdge], h: Tensor, gradient: Tensor) -> list[Tensor | None]:
    """Returns a gradient at h as gradients at what h was made of; None for what it was not made of."""
    if not edges:
        return []
    peak = gradient.abs().max()
    peak = torch.where(peak > 0, peak, torch.ones_like(peak))
    unit = (gradient / peak).to(h.dtype)  # in float16 most of a term's gradient would round to 0
    found = torch.autograd.grad(h, edges, unit, retain_graph=True, allow_unused=True)
    return [None if part is None else part.float() * peak for part in found]


def _norm(parts: list[Tensor]) -> Float[Tensor, ""]:
    norm: Tensor = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in parts]))
    return norm


def _tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, (list, tuple)) else ()
    return [h for part in parts for h in _tensors(part)]
