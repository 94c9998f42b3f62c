"""Trainings that go wrong in a known way."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from qscore.methods import SSLMethod


def without_stop_gradient(method: Any) -> None:
    """BYOL whose two branches are one: it can agree with itself about nothing."""
    method.prediction_head = nn.Identity()
    method._target = lambda view: method.projection_head(method.encoder(view))


def without_variance(method: Any) -> None:
    """VICReg without the term that keeps its features apart."""
    method.criterion.mu_param = 0.0


def faster(method: SSLMethod, factor: float) -> None:
    """A learning rate that is too high."""
    method.optimization = replace(method.optimization, learning_rate=factor * method.optimization.learning_rate)


class Dead(nn.Module):
    """A network whose first features are pushed below their ReLU."""

    def __init__(self, network: nn.Module, share: float) -> None:
        super().__init__()
        self.network, self.share = network, share

    def forward(self, images: Tensor) -> Tensor:
        h: Tensor = self.network(images)
        bias = torch.zeros(h.shape[1])
        bias[: int(self.share * h.shape[1])] = -1e6
        return torch.relu(h + bias)
