"""Names of a trunk's parameters in other libraries, translated into torchvision's (ResNet) or timm's (ViT)."""

import functools
import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

State = dict[str, Tensor]
Rules = tuple[tuple[str, str], ...]

# Theirs, ours. {i} is a number; {i+1} the same number plus one, since others count stages and layers from 0.
SEQUENTIAL: Rules = (
    ("0.", "conv1."),
    ("1.", "bn1."),
    ("4.", "layer1."),
    ("5.", "layer2."),
    ("6.", "layer3."),
    ("7.", "layer4."),
)
HUGGINGFACE_RESNET: Rules = (
    ("embedder.embedder.convolution.", "conv1."),
    ("embedder.embedder.normalization.", "bn1."),
    ("encoder.stages.{s}.layers.{i}.shortcut.convolution.", "layer{s+1}.{i}.downsample.0."),
    ("encoder.stages.{s}.layers.{i}.shortcut.normalization.", "layer{s+1}.{i}.downsample.1."),
    ("encoder.stages.{s}.layers.{i}.layer.{j}.convolution.", "layer{s+1}.{i}.conv{j+1}."),
    ("encoder.stages.{s}.layers.{i}.layer.{j}.normalization.", "layer{s+1}.{i}.bn{j+1}."),
)
HUGGINGFACE_VIT: Rules = (
    ("embeddings.cls_token", "cls_token"),
    ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("encoder.layer.{i}.attention.attention.query.", "blocks.{i}.attn.query."),
    ("encoder.layer.{i}.attention.attention.key.", "blocks.{i}.attn.key."),
    ("encoder.layer.{i}.attention.attention.value.", "blocks.{i}.attn.value."),
    ("encoder.layer.{i}.attention.output.dense.", "blocks.{i}.attn.proj."),
    ("encoder.layer.{i}.intermediate.dense.", "blocks.{i}.mlp.fc1."),
    ("encoder.layer.{i}.output.dense.", "blocks.{i}.mlp.fc2."),
    ("encoder.layer.{i}.layernorm_before.", "blocks.{i}.norm1."),
    ("encoder.layer.{i}.layernorm_after.", "blocks.{i}.norm2."),
    ("layernorm.", "norm."),
)
MMPRETRAIN: Rules = (
    ("patch_embed.projection.", "patch_embed.proj."),
    ("layers.{i}.ln1.", "blocks.{i}.norm1."),
    ("layers.{i}.ln2.", "blocks.{i}.norm2."),
    ("layers.{i}.attn.", "blocks.{i}.attn."),
    ("layers.{i}.ffn.layers.0.0.", "blocks.{i}.mlp.fc1."),
    ("layers.{i}.ffn.layers.1.", "blocks.{i}.mlp.fc2."),
    ("ln1.", "norm."),
)
QKV = ("query", "key", "value")
NUMBER = re.compile(r"\\?\{(\w)(\\?\+1)?\\?\}")


def translate(name: str, rules: Rules, *, to_theirs: bool = False) -> str:
    """Returns a parameter's name in our words, or in theirs; a name that no rule fits stays as it is.

    >>> translate("encoder.stages.0.layers.2.layer.1.convolution.weight", HUGGINGFACE_RESNET)
    'layer1.2.conv2.weight'
    >>> translate("layer1.2.conv2.weight", HUGGINGFACE_RESNET, to_theirs=True)
    'encoder.stages.0.layers.2.layer.1.convolution.weight'
    """
    for theirs, ours in rules:
        source, target = (ours, theirs) if to_theirs else (theirs, ours)
        found = _pattern(source).match(name)
        if found:
            shifted = {number for number, plus in NUMBER.findall(source) if plus}
            numbers = {key: int(value) - (key in shifted) for key, value in found.groupdict().items()}
            return _filled(target, numbers) + name[found.end() :]
    return name


def _filled(template: str, numbers: Mapping[str, int]) -> str:
    return NUMBER.sub(lambda found: str(numbers[found[1]] + bool(found[2])), template)


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("^" + NUMBER.sub(r"(?P<\1>\\d+)", re.escape(template)))


def merge_qkv(state: Mapping[str, Tensor]) -> State:
    """Returns a ViT's state with each query, key and value stacked into timm's `qkv`."""
    merged = dict(state)
    for name, tensor in state.items():
        three = [name.replace(".query.", f".{part}.") for part in QKV]
        if ".attn.query." in name and all(part in state and state[part].shape == tensor.shape for part in three):
            merged[name.replace(".query.", ".qkv.")] = torch.cat([merged.pop(part) for part in three])
    return merged


def split_qkv(state: Mapping[str, Tensor]) -> State:
    """Returns a ViT's state with timm's `qkv` apart in query, key and value, the inverse of `merge_qkv`."""
    apart: State = {}
    for name, tensor in state.items():
        if ".attn.qkv." in name:
            apart |= {name.replace("qkv", part): third for part, third in zip(QKV, tensor.chunk(3), strict=True)}
        else:
            apart[name] = tensor
    return apart


def _by(rules: Rules) -> Callable[[State], State]:
    return lambda state: merge_qkv({translate(name, rules): tensor for name, tensor in state.items()})


NAMES: dict[str, Callable[[State], State]] = {
    "torchvision_or_timm": dict,
    "in_order": dict,  # the names say nothing; `architectures.in_order` goes by sequence and shape
    "sequential": _by(SEQUENTIAL),
    "huggingface_resnet": _by(HUGGINGFACE_RESNET),
    "huggingface_vit": _by(HUGGINGFACE_VIT),
    "mmpretrain": _by(MMPRETRAIN),
}
