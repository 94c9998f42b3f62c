"""Encoder: image to representation."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qscore.encoders.networks import build_network, feature_dim
from qscore.encoders.settings import check_settings
from qscore.errors import UserError
from qscore.files import fingerprint

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Encoder(nn.Module):
    """A network without its classifier, together with the input normalisation it was trained with.

    It takes pixel values in [0, 1] and normalises them itself, so that whoever loads an encoder cannot feed it
    wrongly scaled images.

    Args:
        architecture: A ResNet ("resnet10", with one block a stage, to "resnet200", "wide_resnet50_2",
            "resnext50_32x4d", ...), or "timm/NAME" for any model of timm that pools its features.
        stem: "imagenet", "cifar", "cifar_padding2" or "stl", see `qscore.encoders.resnet`; of ResNets alone.
        width: Factor on every channel count; of ResNets alone.
        options: Further settings of the network: `padding` of a ResNet; whatever `timm.create_model` takes of
            a timm model, for instance `global_pool` ("token" or "avg"), `img_size` and `patch_size` of a ViT;
            and `norm_eps`, the epsilon of all its LayerNorms.
        mean: Mean of each colour channel, subtracted.
        std: Standard deviation of each colour channel, divided by.

    Attributes:
        network: The torchvision or timm network, whose names its parameters carry.
        feature_dim: Number of features r of a representation.
        settings: The arguments it was built with, JSON-able.

    Raises:
        UserError: If a name is unknown, or a setting is not one of this network.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        architecture: str = "resnet18",
        *,
        stem: str = "imagenet",
        width: float = 1.0,
        options: Mapping[str, Any] | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        check_settings(architecture, stem=stem, width=width, options=options, mean=mean, std=std)
        self.settings: dict[str, Any] = {
            "architecture": architecture,
            "stem": stem,
            "width": width,
            "options": dict(options or {}),
            "mean": list(mean),
            "std": list(std),
        }
        network = build_network(architecture, stem=stem, width=width, options=self.settings["options"])
        # The layout that convolutions are fastest in, on CPUs (1.4 times, 28 px images) as on GPUs.
        self.network = network.to(memory_format=torch.channels_last)
        self.feature_dim = feature_dim(self.network)
        # Not persistent: they are settings, and the weights file holds the network's names alone.
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

    @torch.no_grad()
    def check_image_size(self, size_px: int) -> None:
        """Looks whether the network takes square images of a size.

        Raises:
            UserError: If it does not; a ViT needs a multiple of its patches, some networks one size alone.
        """
        was_training = self.training
        try:
            self.eval()(torch.zeros(1, 3, size_px, size_px, device=self.mean.device))
        except (AssertionError, RuntimeError) as error:
            raise UserError(
                f"Expected images of a size that {self.settings['architecture']} takes, got {size_px} px: {error} "
                "Choose another data.image_size or encoder."
            ) from error
        finally:
            self.train(was_training)
