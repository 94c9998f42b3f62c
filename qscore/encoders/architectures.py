"""Which network a trunk belongs to, told from names and shapes of its tensors."""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from qscore.encoders.networks import TIMM, build_network
from qscore.encoders.resnet import RESNETS, STAGE_CHANNELS

UNCOUNTED = "num_batches_tracked"  # never used by a BatchNorm with momentum, and missing from old files
VITS = {192: "vit_tiny", 384: "vit_small", 768: "vit_base", 1024: "vit_large", 1280: "vit_huge"}
VIT_MLP_RATIO = 4
VIT_PATCH = {"vit_huge": "patch14_224"}


def counted(names: Mapping[str, Any]) -> set[str]:
    """Returns the names of the tensors that decide what a network computes."""
    return {name for name in names if not name.endswith(UNCOUNTED)}


def expected_state(settings: Mapping[str, Any]) -> Mapping[str, Tensor]:
    """Returns the state of an encoder's network without its content, on the meta device."""
    options = json.dumps(settings["options"], sort_keys=True)
    return _expected_state(settings["architecture"], settings["stem"], settings["width"], options)


@dataclass(frozen=True)
class Hints:
    """What shapes do not tell, or what the user knows better.

    Attributes:
        architecture: Name of the network, where it is known.
        stem: Stem to take where the first convolution is 3x3.
        num_heads: Feature dimension to attention heads, where these are not 64 channels each.
        options: Options of the network that take precedence.
    """

    architecture: str | None = None
    stem: str | None = None
    num_heads: Mapping[int, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def mismatches(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Returns a phrase for each key that is missing, unexpected or of another shape.

    >>> mismatches({"a": torch.zeros(2), "b": torch.zeros(1)}, {"a": torch.zeros(3), "c": torch.zeros(1)})
    ['a is (3,) instead of (2,)', 'b is missing', 'c is unexpected']
    """
    phrases = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            phrases.append(f"{name} is missing")
        elif name not in expected:
            phrases.append(f"{name} is unexpected")
        elif found[name].shape != expected[name].shape:
            phrases.append(f"{name} is {tuple(found[name].shape)} instead of {tuple(expected[name].shape)}")
    return phrases


def infer(trunk: Mapping[str, Tensor], hints: Hints) -> dict[str, Any]:
    """Returns architecture, stem, width and options of the network that fits a trunk best.

    Args:
        trunk: Tensors under torchvision's or timm's names.
        hints: What shapes do not tell.
    """
    is_vit = "pos_embed" in trunk or any(name.startswith("blocks.") for name in trunk)
    if hints.architecture is not None and hints.architecture.startswith(TIMM):
        settings = dict[str, Any](architecture=hints.architecture, stem="imagenet", width=1.0, options={})
        if is_vit and hints.architecture.startswith(f"{TIMM}vit"):
            inferred = _vit(trunk, {})["options"]
            settings["options"] = {name: inferred[name] for name in ("patch_size", "img_size", "dynamic_img_size")}
    elif is_vit:
        settings = _vit(trunk, hints.num_heads)
    else:
        settings = _resnet(trunk, hints)
    settings["options"] = {**settings["options"], **hints.options}
    return settings


def expected_names(architecture: str | None) -> tuple[str, ...]:
    """Returns the names of a network's tensors, in order; none where the architecture is not known."""
    if architecture is None:
        return ()
    return tuple(expected_state({"architecture": architecture, "stem": "imagenet", "width": 1.0, "options": {}}))


def in_order(trunk: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns a trunk under torchvision's names, given one whose names say nothing but whose order is torchvision's.

    The tensors must have the shapes, and the last parts of the names, of some ResNet's first tensors.
    """
    tensors = list(trunk.items())
    best: dict[str, Tensor] = dict(trunk)
    most = 0
    is_classified = len(tensors) > 2 and [tensor.ndim for _, tensor in tensors[-2:]] == [2, 1]
    tensors = tensors[:-2] if is_classified else tensors
    for architecture in RESNETS:
        names = list(expected_state({"architecture": architecture, "stem": "imagenet", "width": 1.0, "options": {}}))
        paired = {
            name: tensor
            for name, (key, tensor) in zip(names, tensors, strict=False)
            if name.rpartition(".")[2] == key.rpartition(".")[2]
        }
        if len(names) <= len(tensors) and len(paired) > most:
            taken = {id(tensor) for tensor in paired.values()}
            best, most = paired | {key: tensor for key, tensor in tensors if id(tensor) not in taken}, len(paired)
    return best


def _resnet(trunk: Mapping[str, Tensor], hints: Hints) -> dict[str, Any]:
    conv1 = trunk.get("conv1.weight")
    is_small = conv1 is not None and conv1.shape[-1] == 3
    stem = (hints.stem or "cifar") if is_small else "imagenet"
    known = [hints.architecture] if hints.architecture else list(RESNETS)
    seen = (trunk.get(name) for name in ("conv1.weight", "bn1.weight", "layer1.0.conv1.weight"))
    widths = {tensor.shape[0] / STAGE_CHANNELS[0] for tensor in seen if tensor is not None and tensor.ndim} or {1.0}
    names = counted(trunk)
    overlap = {name: _overlap(names, name, stem) for name in known}
    candidates: list[dict[str, Any]] = [
        {"architecture": name, "stem": stem, "width": width, "options": {}}
        for name in known
        if overlap[name] == max(overlap.values())
        for width in sorted(widths)
    ]
    return max(candidates, key=lambda settings: num_fitting(trunk, settings))


def _overlap(names: set[str], architecture: str, stem: str) -> float:
    """Share of all names, these and the network's, that are in both."""
    settings = {"architecture": architecture, "stem": stem, "width": 1.0, "options": {}}
    own = counted(expected_state(settings))
    return len(names & own) / max(1, len(names | own))


def _vit(trunk: Mapping[str, Tensor], num_heads: Mapping[int, int]) -> dict[str, Any]:
    blocks = [name.split(".")[1] for name in trunk if name.startswith("blocks.")]
    depth = 1 + max((int(number) for number in blocks if number.isdigit()), default=11)
    patches = trunk.get("patch_embed.proj.weight")
    vectors = (trunk.get(name) for name in ("norm.weight", "blocks.0.norm1.weight", "cls_token", "pos_embed"))
    dim = next((tensor.shape[-1] for tensor in vectors if tensor is not None and tensor.ndim), 384)
    patch = 16 if patches is None or patches.ndim != 4 else max(1, patches.shape[-1])
    position = trunk.get("pos_embed")
    num_tokens = 1 + (224 // patch) ** 2 if position is None or position.ndim != 3 else position.shape[1]
    kind = VITS.get(dim, "vit_tiny")
    options: dict[str, Any] = {
        "patch_size": patch,
        "img_size": patch * math.isqrt(max(1, num_tokens - 1)),
        "depth": depth,
        "global_pool": "token",
        "dynamic_img_size": True,
    }
    if dim not in VITS:
        options |= {"embed_dim": dim, "num_heads": max(1, dim // 64)}
    if dim in num_heads:
        options["num_heads"] = num_heads[dim]
    hidden = trunk.get("blocks.0.mlp.fc1.bias")
    if hidden is not None and hidden.numel() != VIT_MLP_RATIO * dim:
        options["mlp_ratio"] = hidden.numel() / dim
    name = f"{TIMM}{kind}_{VIT_PATCH.get(kind, 'patch16_224')}"
    return {"architecture": name, "stem": "imagenet", "width": 1.0, "options": options}


def num_fitting(trunk: Mapping[str, Tensor], settings: Mapping[str, Any]) -> int:
    """Returns how many of a trunk's tensors have the name and the shape of one of the network's."""
    expected = expected_state(settings)
    return sum(trunk[name].shape == expected[name].shape for name in counted(trunk) & counted(expected))


@functools.lru_cache(maxsize=64)
def _expected_state(architecture: str, stem: str, width: float, options: str) -> Mapping[str, Tensor]:
    with torch.device("meta"):
        try:
            network = build_network(architecture, stem=stem, width=width, options=json.loads(options))
        except (ValueError, ZeroDivisionError, RuntimeError, AssertionError):
            return {}  # noise can look like a network that nobody can build
    return network.state_dict()
