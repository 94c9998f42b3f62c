"""The networks an encoder can be: a ResNet with torchvision's names, or any timm model that pools its features."""

import difflib
from collections.abc import Mapping
from typing import Any

import timm
from torch import nn
from torchvision.models.resnet import ResNet

from qscore.encoders.resnet import resnet
from qscore.errors import UserError, unknown_name

TIMM = "timm/"


def build_network(architecture: str, *, stem: str, width: float, options: Mapping[str, Any]) -> nn.Module:
    """Returns an untrained network from images to pooled features.

    Raises:
        UserError: If a name is unknown, or a setting is not one of this network.
    """
    if architecture.startswith(TIMM):
        if (stem, width) != ("imagenet", 1.0):
            raise UserError(f"Expected stem and width with a ResNet alone, got {stem} and {width} for {architecture}.")
        return _timm_network(architecture.removeprefix(TIMM), options)
    unknown = set(options) - {"padding"}
    if unknown:
        raise UserError(f"Expected no option of a ResNet but padding, got {', '.join(sorted(unknown))}.")
    network: nn.Module = resnet(architecture, stem=stem, width=width, **options)
    return network


def feature_dim(network: nn.Module) -> int:
    """Returns the number of features the network was built with."""
    if isinstance(network, ResNet):
        norms = [module for module in network.layer4[-1].modules() if isinstance(module, nn.BatchNorm2d)]
        return norms[-1].num_features
    return int(network.head_hidden_size)  # type: ignore[arg-type]  # an attribute of every timm model


def _timm_network(name: str, options: Mapping[str, Any]) -> nn.Module:
    if not timm.is_model(name):
        nearest = difflib.get_close_matches(name, timm.list_models(), n=5, cutoff=0.4)
        raise unknown_name("timm architecture", name, nearest)
    norm_eps = options.get("norm_eps")
    try:
        passed = {option: value for option, value in options.items() if option != "norm_eps"}
        network: nn.Module = timm.create_model(name, num_classes=0, **passed)
    except (TypeError, ValueError, RuntimeError, AssertionError, AttributeError, LookupError, ArithmeticError) as error:
        raise UserError(
            f"Expected options that timm's {name} takes, got {str(dict(options))[:200]}: {str(error)[:200]!r}"
        ) from error
    for module in network.modules():
        if norm_eps is not None and isinstance(module, nn.LayerNorm):
            module.eps = norm_eps
    return network
