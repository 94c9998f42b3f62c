"""Encoder: image to representation."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qscore.encoders.resnet import resnet
from qscore.files import fingerprint

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Encoder(nn.Module):
    """A network without its classifier, together with the input normalisation it was trained with.

    It takes pixel values in [0, 1] and normalises them itself, so that whoever loads an encoder cannot feed it
    wrongly scaled images.

    Args:
        architecture: "resnet10" (one block a stage), "resnet18", "resnet34", "resnet50", "resnet101", "resnet152".
        stem: "imagenet", "cifar" or "stl", see `qscore.encoders.resnet`.
        width: Factor on every channel count.
        mean: Mean of each colour channel, subtracted.
        std: Standard deviation of each colour channel, divided by.

    Attributes:
        network: The torchvision network; its parameters carry torchvision's names.
        feature_dim: Number of features r of a representation.

    Raises:
        UserError: If a name is unknown.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        architecture: str = "resnet18",
        *,
        stem: str = "imagenet",
        width: float = 1.0,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.settings: dict[str, Any] = {
            "architecture": architecture,
            "stem": stem,
            "width": width,
            "mean": list(mean),
            "std": list(std),
        }
        # The layout that convolutions are fastest in, on CPUs (1.4 times, 28 px images) as on GPUs.
        self.network = resnet(architecture, stem=stem, width=width).to(memory_format=torch.channels_last)
        self.feature_dim: int = self.network.layer4[-1].bn1.num_features * self.network.layer4[-1].expansion
        # Not persistent: they are settings, and the weights file holds torchvision's names alone.
        self.register_buffer("mean", torch.tensor(list(mean)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(list(std)).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "sample 3 _ _"]) -> Float[Tensor, "sample feature"]:
        """Returns the representations of images with pixel values in [0, 1]."""
        representations: Tensor = self.network((images - self.mean) / self.std)
        return representations

    def fingerprint(self) -> str:
        """Returns a fingerprint of settings, weights and BatchNorm statistics."""
        state = self.network.state_dict()
        parts = [part for name in sorted(state) for part in (name, state[name].cpu().contiguous().numpy().tobytes())]
        return fingerprint(str(sorted(self.settings.items())), *parts)
