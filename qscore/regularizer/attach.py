"""Adds a penalty to the loss of a LightningModule that knows nothing of it, and takes it away again."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from qscore.errors import UserError


class Attachment:
    """A penalty on the outputs of a module's encoder.

    A forward hook collects what the encoder returns with gradient during `training_step`. Under automatic
    optimization the wrapped `training_step` adds the penalty to the loss it returns, a tensor or the "loss" of a
    mapping; under manual optimization the wrapped `manual_backward` adds it to the loss it is given. Lightning's
    `on_before_backward` cannot serve: its return value is dropped, and by then the loss has been divided by the
    number of accumulated batches and multiplied by the gradient scaler.

    Args:
        module: The LightningModule, of `pytorch_lightning` or of `lightning.pytorch`.
        encoder: The submodule whose outputs are regularized.
        penalty: Representations to a number to add to the loss.
    """

    def __init__(self, module: Any, encoder: nn.Module, penalty: nn.Module) -> None:
        self.penalty = penalty
        self._module = module
        self._collected: list[Tensor] = []
        self._is_training_step = False
        self._num_added = 0
        self._handle: RemovableHandle = encoder.register_forward_hook(self._collect)
        self._shadowed: dict[str, Any] = {}
        self._replace("training_step", self._wrap_training_step)
        self._replace("manual_backward", self._wrap_manual_backward)

    def detach(self) -> None:
        """Leaves the module as it was."""
        self._handle.remove()
        for name, own in self._shadowed.items():
            del self._module.__dict__[name]
            if own is not None:
                self._module.__dict__[name] = own
        self._shadowed.clear()

    def _collect(self, _: nn.Module, __: Any, output: Any) -> None:
        if not self._is_training_step:
            return
        if not isinstance(output, Tensor):
            raise UserError(
                f"Expected the encoder to return a tensor, got {type(output).__name__}; name with "
                "QScoreRegularizer(encoder=...) the submodule that returns the representations alone."
            )
        if output.requires_grad:
            self._collected.append(output.flatten(1))

    def _replace(self, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        original = getattr(self._module, name)
        self._shadowed[name] = self._module.__dict__.get(name)
        self._module.__dict__[name] = wrap(original)

    def _wrap_training_step(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def training_step(*args: Any, **kwargs: Any) -> Any:
            self._collected.clear()
            self._num_added, self._is_training_step = 0, True
            try:
                output = original(*args, **kwargs)
                if self._module.automatic_optimization and output is not None:
                    output = self._with_penalty(output)
            finally:
                self._is_training_step = False
                self._collected.clear()
            if self._num_added == 0 and not (self._module.automatic_optimization and output is None):
                raise UserError(self._advice())
            return output

        return training_step

    def _wrap_manual_backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def manual_backward(loss: Tensor, *args: Any, **kwargs: Any) -> Any:
            return original(loss + self._penalty() if self._collected else loss, *args, **kwargs)

        return manual_backward

    def _with_penalty(self, output: Any) -> Any:
        if not self._collected:
            return output
        if isinstance(output, Mapping):
            return {**output, "loss": output["loss"] + self._penalty()}
        return output + self._penalty()

    def _penalty(self) -> Tensor:
        representations = torch.cat(self._collected)
        self._collected.clear()
        self._num_added += 1
        penalty: Tensor = self.penalty(representations)
        return penalty

    def _advice(self) -> str:
        if self._module.automatic_optimization:
            return (
                "The encoder was not called with gradient during the training step, so the regularizer cannot reach "
                "it. Name the trained encoder, not a teacher, with QScoreRegularizer(encoder=...)."
            )
        return (
            "No loss was given to self.manual_backward after the encoder was called with gradient, so the regularizer "
            "cannot reach it. Call self.manual_backward(loss), and name the trained encoder with "
            "QScoreRegularizer(encoder=...)."
        )
