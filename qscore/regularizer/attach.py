"""Adds a penalty to the loss of a LightningModule that knows nothing of it, and takes it away again."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from qscore.errors import UserError
from qscore.regularizer.outputs import Select, read_representations


class Attachment:
    """A penalty on the outputs of a module's encoder.

    A forward hook collects what the encoder returns with gradient during `training_step`. Under automatic
    optimization the wrapped `training_step` adds the penalty to the loss it returns, a tensor or the "loss" of a
    mapping; under manual optimization the wrapped `manual_backward` adds it to the loss it is given. Lightning's
    `on_before_backward` cannot serve: its return value is dropped, and by then the loss has been divided by the
    number of accumulated batches and multiplied by the gradient scaler.

    `torch.compile` traces the hook together with the encoder, and skips hooks that came after it: code compiled
    before is therefore forgotten here, and compiled again when it is next called.

    Args:
        module: The LightningModule, of `pytorch_lightning` or of `lightning.pytorch`.
        encoder: The submodule whose outputs are regularized.
        penalty: Representations to a number to add to the loss.
        select: What the encoder returns to representations, see `read_representations`.
        see: Is told what the encoder returned during a step, unless the encoder is compiled.
    """

    def __init__(
        self,
        module: Any,
        encoder: nn.Module,
        penalty: nn.Module,
        select: Select | None = None,
        *,
        see: Callable[[Any], None] | None = None,
    ) -> None:
        self.penalty, self._see = penalty, see
        self._module, self._encoder, self._select = module, encoder, select
        self._outputs: tuple[Any, ...] = ()
        self._is_collecting, self._num_added = False, 0
        self._handle = encoder.register_forward_hook(self._collect)
        self._shadowed: dict[str, Any] = {}
        self._replace("training_step", self._wrap_training_step)
        self._replace("manual_backward", self._wrap_manual_backward)
        torch.compiler.reset()

    def detach(self) -> None:
        """Leaves the module as it was."""
        self._handle.remove()
        for part in self._module.modules():
            part._forward_hooks.pop(self._handle.id, None)  # copies of the encoder, see `__deepcopy__`
        for name, own in self._shadowed.items():
            del self._module.__dict__[name]
            if own is not None:
                self._module.__dict__[name] = own
        self._shadowed.clear()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Attachment":
        """Returns itself: a teacher copied from the encoder during training takes the hook along."""
        return self

    def _collect(self, caller: nn.Module, _: Any, output: Any) -> None:
        if not self._is_collecting or caller is not self._encoder:
            return
        if self._see is not None and not torch.compiler.is_compiling():
            self._see(output)
        # A copy, since a head may work in place. Nested pairs, since compiled code is bound to the length of a list.
        kept = output.clone() if isinstance(output, Tensor) else output
        self._outputs = (kept, self._outputs)

    def _replace(self, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        original = getattr(self._module, name)
        self._shadowed[name] = self._module.__dict__.get(name)
        self._module.__dict__[name] = wrap(original)

    def _wrap_training_step(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def training_step(*args: Any, **kwargs: Any) -> Any:
            self._outputs, self._num_added, self._is_collecting = (), 0, True
            try:
                output = original(*args, **kwargs)
                skipped = self._module.automatic_optimization and output is None
                if self._module.automatic_optimization and not skipped:
                    output = self._with_term(output)
            finally:
                self._outputs, self._is_collecting = (), False
            if self._num_added == 0 and not skipped:
                raise UserError(self._advice())
            return output

        # Lightning looks for `batch_idx` one wrapper deep: it shall find what it would without this one.
        training_step.__wrapped__ = getattr(original, "__wrapped__", original)
        return training_step

    def _wrap_manual_backward(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def manual_backward(loss: Tensor, *args: Any, **kwargs: Any) -> Any:
            loss = self._add(loss)
            was_collecting, self._is_collecting = self._is_collecting, False  # a checkpointed encoder runs once more
            try:
                return original(loss, *args, **kwargs)
            finally:
                self._is_collecting = was_collecting

        return manual_backward

    def _with_term(self, output: Any) -> Any:
        if isinstance(output, Tensor):
            return self._add(output)
        if isinstance(output, Mapping) and "loss" in output:
            return {**output, "loss": self._add(output["loss"])}
        raise UserError(
            f"Expected training_step to return the loss or a mapping with a 'loss', got {type(output).__name__}. "
            "Return one of these, or set automatic_optimization = False and call self.manual_backward(loss)."
        )

    def _add(self, loss: Tensor) -> Tensor:
        representations = self._representations()
        if not representations:
            return loss
        self._num_added += 1
        term: Tensor = self.penalty(torch.cat(representations))
        return loss + term

    def _representations(self) -> list[Tensor]:
        """Returns what was collected with gradient, in the order of the calls, and forgets it."""
        collected, outputs, self._outputs = [], self._outputs, ()
        while outputs:
            output, outputs = outputs
            collected.append(read_representations(output, self._select))
        return [h for h in reversed(collected) if h.requires_grad]

    def _advice(self) -> str:
        call = "Call the encoder itself, self.ENCODER(images): a call of one of its methods goes unseen."
        if self._module.automatic_optimization:
            return (
                "The encoder was not called with gradient during the training step, so the regularizer cannot reach "
                f"it. Name the trained encoder, not a teacher, with QScoreRegularizer(encoder=...). {call}"
            )
        return (
            "No loss was given to self.manual_backward after the encoder was called with gradient, so the regularizer "
            "cannot reach it. Call self.manual_backward(loss), and name the trained encoder with "
            f"QScoreRegularizer(encoder=...). {call}"
        )
