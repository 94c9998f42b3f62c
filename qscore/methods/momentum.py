"""Teachers that follow a student (Polyak averages of its weights)."""

import copy
from typing import TypeVar

import torch
from lightly.models.utils import deactivate_requires_grad
from torch import nn

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def frozen_copy(module: ModuleT) -> ModuleT:
    """Returns a copy whose parameters take no gradient; `follow` moves it."""
    teacher = copy.deepcopy(module)
    deactivate_requires_grad(teacher)
    return teacher


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Moves the teacher's parameters to momentum * teacher + (1 - momentum) * student, all of them together.

    Buffers, such as BatchNorm's statistics, are the teacher's own.
    """
    torch._foreach_lerp_(list(teacher.parameters()), list(student.parameters()), 1 - momentum)
