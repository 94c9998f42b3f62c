"""Numbers that are not finite: noted on the device, and found in what is about to be saved."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from qscore.processes import gathered

NEVER = -1


class LossRecord:
    """The first step whose loss was not finite; kept on the device, so that no step waits for it.

    Args:
        patience: So many such steps in a row count; more than 1 where a gradient scaler skips them.

    >>> record = LossRecord()
    >>> for step, loss in enumerate([2.0, float("nan"), 1.0]):
    ...     record.add(torch.tensor(loss), step)
    >>> record.first()
    1
    """

    def __init__(self, patience: int = 1) -> None:
        self.patience = patience
        self._began, self._streak, self._found = (torch.tensor(value) for value in (NEVER, 0, NEVER))

    def add(self, loss: Tensor, step: int) -> None:
        """Takes up the loss of a step."""
        if self._streak.device != loss.device:
            places = (self._began, self._streak, self._found)
            self._began, self._streak, self._found = (place.to(loss.device) for place in places)
        is_bad = ~loss.detach().isfinite().all()
        self._began = torch.where(is_bad & (self._streak == 0), step, self._began)
        self._streak = torch.where(is_bad, self._streak + 1, 0)
        is_found = (self._streak >= self.patience) & (self._found == NEVER)
        self._found = torch.where(is_found, self._began, self._found)

    def first(self) -> int | None:
        """Returns the step where the losses of any process began to be not finite; None where all were."""
        found = [int(step) for step in gathered(self._found.cpu()[None]) if int(step) != NEVER]
        return min(found) if found else None


def not_finite(content: Any, name: str = "") -> list[str]:
    """Returns the names of the tensors in nested mappings and lists that hold a NaN or an infinity.

    >>> not_finite({"weight": torch.ones(2), "state": [torch.tensor(float("inf"))], "epoch": 3})
    ['state.0']
    """
    if isinstance(content, Tensor):
        return [] if not content.is_floating_point() or bool(content.isfinite().all()) else [name]
    pairs: Any = content.items() if isinstance(content, Mapping) else []
    if isinstance(content, (list, tuple)):
        pairs = enumerate(content)
    return [found for key, part in pairs for found in not_finite(part, f"{name}.{key}".lstrip("."))]
