"""Listens to what an encoder returns with gradient, on the steps that are looked at."""

from typing import Any

import torch
from torch import Tensor, nn

from qscore.processes import gathered, num_processes
from qscore.regularizer.outputs import Select, read_representations
from qscore.watch.signals import ROWS


class Ear:
    """Keeps the first rows that an encoder returns with gradient during a step; at other times it does nothing.

    Of several calls the first one is kept: the views of an image would pass for samples that look alike. Code that was
    compiled together with the encoder before a fit does not know of it, and nothing is then heard.

    Args:
        encoder: The submodule to listen to.
        select: What the encoder returns to representations, see `read_representations`.
    """

    def __init__(self, encoder: nn.Module, select: Select | None = None) -> None:
        self.is_listening = False
        self._encoder, self._select = encoder, select
        self._heard: Tensor | None = None
        self._handle = encoder.register_forward_hook(self._hear)

    def detach(self) -> None:
        """Leaves the encoder as it was."""
        self._handle.remove()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Ear":
        """Returns itself: a teacher copied from the encoder during training takes the hook along."""
        return self

    def heard(self) -> Tensor | None:
        """Returns rows of the batch of all processes, (sample, feature) on the CPU, the same on each; then forgets."""
        own, self._heard = self._heard, None
        empty = torch.zeros(0, 0) if own is None else own.float().cpu()
        if num_processes() == 1:
            return None if own is None else empty
        widths = gathered(torch.tensor([empty.shape[1]]))
        return gathered(empty) if bool((widths == widths[0]).all()) and widths[0] else None

    def _hear(self, caller: nn.Module, _: Any, output: Any) -> None:
        if torch.compiler.is_compiling() or not self.is_listening:
            return
        if caller is not self._encoder or self._heard is not None or not torch.is_grad_enabled():
            return
        h = read_representations(output, self._select)
        if h.requires_grad:
            self._heard = h.detach()[: max(2, ROWS // num_processes())].clone()  # a head may work in place
