"""One step for all parameters against lightly's loop over them."""

import copy

import pytest
import torch
from lightly.utils import lars as lightly_lars
from torch import nn

from qscore.methods.lars import LARS
from qscore.methods.momentum import follow, frozen_copy


def network() -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 5), nn.Linear(5, 2))
    nn.init.zeros_(net[4].weight)  # type: ignore[arg-type]
    return net


@pytest.mark.parametrize("options", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"dampening": 0.3}, {}])
@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
def test_steps_are_lightlys(options: dict[str, float], weight_decay: float) -> None:
    ours, theirs = network(), network()
    optimizers = []
    for net, kind in ((ours, LARS), (theirs, lightly_lars.LARS)):
        matrices = [p for p in net.parameters() if p.ndim > 1]
        rest = [p for p in net.parameters() if p.ndim == 1]
        groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
        optimizers.append(kind(groups, lr=0.5, **options))  # type: ignore[operator]
    for step in range(6):
        images = torch.rand(8, 3, 8, 8)
        for net, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            hidden = net[:4](images)
            # The last layer has no gradient at first, then one of zero, then a proper one.
            loss = hidden.square().mean() + (0 if step < 2 else net[4](hidden).square().mean() * (step > 3))
            loss.backward()
            optimizer.step()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(p, q, atol=1e-6, rtol=1e-5)


def test_a_state_of_lightlys_goes_on() -> None:
    net = network()
    old = lightly_lars.LARS(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    net(torch.rand(4, 3, 8, 8)).square().sum().backward()
    old.step()
    new = LARS(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    new.load_state_dict(old.state_dict())
    twin = copy.deepcopy(net)
    again = lightly_lars.LARS(twin.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    again.load_state_dict(copy.deepcopy(old.state_dict()))
    for p, q in zip(net.parameters(), twin.parameters(), strict=True):
        q.grad = p.grad.clone() if p.grad is not None else None
    new.step()
    again.step()
    for p, q in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p, q)


def test_a_teacher_follows_by_its_momentum() -> None:
    student = network()
    teacher = frozen_copy(student)
    with torch.no_grad():
        for p in student.parameters():
            p.add_(torch.randn_like(p))
    expected = [0.9 * t + 0.1 * s for t, s in zip(teacher.parameters(), student.parameters(), strict=True)]
    follow(teacher, student, 0.9)
    for found, wanted in zip(teacher.parameters(), expected, strict=True):
        torch.testing.assert_close(found, wanted)
        assert not found.requires_grad
    follow(teacher, student, 1.0)
    torch.testing.assert_close(next(teacher.parameters()), expected[0])
