"""Teachers that follow a student (Polyak averages of its weights)."""

import copy
from typing import TypeVar

from lightly.models.utils import deactivate_requires_grad
from torch import nn

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def frozen_copy(module: ModuleT) -> ModuleT:
    """Returns a copy whose parameters take no gradient; `lightly.models.utils.update_momentum` moves it."""
    teacher = copy.deepcopy(module)
    deactivate_requires_grad(teacher)
    return teacher
