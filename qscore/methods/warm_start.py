"""Heads, teacher, prototypes, queue and centre of a checkpoint, given to a method that can use them."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from qscore.encoders import Checkpoint
from qscore.encoders.layouts import CENTER, PREDICTION, PROJECTION, PROTOTYPES, QUEUE, STUDENT, TEACHER_PROJECTION
from qscore.methods.base import SSLMethod

WARM = "warm"
TEACHER_ENCODER = "teacher_encoder"
STUDENT_PARTS = (PROJECTION, PREDICTION, PROTOTYPES)
FOLLOWS = "new: it belongs to the file's projection head, which does not fit"
ROLE_NAMES = r"^key_"  # MoCo's word for its teacher

Layer = dict[str, Tensor]


def warm_start(method: SSLMethod, checkpoint: Checkpoint, name: str) -> dict[str, str]:
    """Gives a method whatever of a checkpoint fits; its encoder has been loaded before.

    A teacher that the file lacks is a copy of the student; everything else that it lacks stays untrained.

    Args:
        method: Around the checkpoint's encoder.
        checkpoint: Where from.
        name: Of the method, as in `method=NAME`.

    Returns:
        For each part of the method "warm", or what it is instead and why.
    """
    of_another = name not in checkpoint.reading.layout.methods
    parts = {} if of_another else _parts_for(checkpoint)
    reason = f"the file is not of {name}" if of_another else "the file has none"
    modules = {re.sub(ROLE_NAMES, "teacher_", child): module for child, module in method.named_children()}
    found: dict[str, str] = {}
    for part in (*STUDENT_PARTS, TEACHER_PROJECTION):
        if part in modules:
            is_homeless = part == PROTOTYPES and part in parts and found[PROJECTION] != WARM
            found[part] = FOLLOWS if is_homeless else _given(modules[part], parts.get(part), reason)
    if TEACHER_ENCODER in modules:
        found[TEACHER_ENCODER] = _give_teacher(modules[TEACHER_ENCODER], checkpoint, of_another)
    if TEACHER_PROJECTION in modules and found[TEACHER_PROJECTION] != WARM:
        modules[TEACHER_PROJECTION].load_state_dict(modules[PROJECTION].state_dict())
        found[TEACHER_PROJECTION] = f"a copy of the {STUDENT}'s"
    return found | _give_buffers(method, parts, found, reason)


def copy_layers(target: nn.Module, source: Mapping[str, Tensor]) -> str | None:
    """Copies a head layer by layer, in order, whatever the layers are called; all of it or nothing.

    A bias that only the file has, in front of a BatchNorm, moves into its running mean, where it has the same
    effect; one that only the target has becomes 0.

    Returns:
        Why it does not fit, None if it was copied.
    """
    own, theirs = _layers(target.state_dict()), _layers(source)
    if len(own) != len(theirs):
        return f"the file's has {len(theirs)} layers with weights, the configured one {len(own)}"
    layers = list(zip(own.values(), theirs.values(), strict=True))
    fitted: list[Layer] = []
    for i, (mine, given) in enumerate(layers):
        layer = _fitted(mine, given)
        if isinstance(layer, str):
            return f"layer {i}: {layer}"
        bias = given.get("bias") if "bias" not in mine else None
        following = layers[i + 1] if i + 1 < len(layers) else ({}, {})
        if bias is not None:
            if "running_mean" not in following[1]:
                return f"layer {i} has a bias in the file alone"
            following[1]["running_mean"] = following[1]["running_mean"] - bias
        fitted.append(layer)
    state = {
        f"{prefix}.{name}" if prefix else name: tensor
        for prefix, layer in zip(own, fitted, strict=True)
        for name, tensor in layer.items()
    }
    target.load_state_dict({**target.state_dict(), **state})
    return None


def _parts_for(checkpoint: Checkpoint) -> dict[str, dict[str, Tensor]]:
    """The file's parts; a teacher that becomes the encoder brings its own projection head."""
    parts: dict[str, dict[str, Tensor]] = {}
    for part, tensors in checkpoint.parts.items():
        head, _, inner = part.partition(".")
        named = {f"{inner}.{key}" if inner else key: tensor for key, tensor in tensors.items()}
        parts[head] = {**parts.get(head, {}), **named}
    if checkpoint.role != STUDENT and TEACHER_PROJECTION in parts:
        parts[PROJECTION] = parts[TEACHER_PROJECTION]
    return parts


def _given(module: nn.Module, source: Mapping[str, Tensor] | None, reason: str) -> str:
    problem = reason if source is None else copy_layers(module, source)
    return WARM if problem is None else f"new: {problem}"


def _give_teacher(module: nn.Module, checkpoint: Checkpoint, of_another: bool) -> str:
    teacher = None if of_another else checkpoint.teacher
    if teacher is None or teacher.settings != checkpoint.trunk.settings:
        return f"a copy of the {STUDENT}"
    taken = {f"network.{name}": teacher.tensors[name] for name in teacher.matched}
    module.load_state_dict({**module.state_dict(), **taken})
    return WARM


@torch.no_grad()
def _give_buffers(
    method: SSLMethod, parts: Mapping[str, Mapping[str, Tensor]], heads: Mapping[str, str], reason: str
) -> dict[str, str]:
    found = {}
    head = heads.get(TEACHER_PROJECTION, heads[PROJECTION])
    buffers = dict(method.named_buffers())
    queues = [bank.bank for _, bank in method.memory_banks() if bank.bank.ndim == 2]
    targets = {CENTER: buffers.get("criterion.center"), QUEUE: queues[0] if queues else None}
    for part, buffer in targets.items():
        if buffer is None:
            continue
        if parts.get(part) and head.startswith("new"):
            found[part] = FOLLOWS
            continue
        given = next(iter(parts.get(part, {}).values()), None)
        shaped = None if given is None else _shaped(given, buffer.shape)
        if shaped is None:
            found[part] = f"new: {reason if given is None else f'{tuple(given.shape)}, not {tuple(buffer.shape)}'}"
            continue
        buffer.copy_(shaped)
        found[part] = WARM
        if part == QUEUE and "queue_is_filled" in buffers:
            buffers["queue_is_filled"].fill_(True)
    return found


def _shaped(given: Tensor, shape: torch.Size) -> Tensor | None:
    """A queue is stored with either axis first, and twice where each view has its own."""
    single = given[0] if given.ndim == len(shape) + 1 and given.numel() == 2 * shape.numel() else given
    if single.shape == shape:
        is_turned = single.ndim == 2 and shape[0] == shape[1] and _has_unit_rows(single.T)
        return single.T if is_turned else single
    if single.ndim == 2 and single.T.shape == shape:
        return single.T
    return single.reshape(shape) if single.numel() == shape.numel() and single.ndim != len(shape) else None


def _has_unit_rows(queue: Tensor) -> bool:
    return bool((queue.norm(dim=1) - 1).abs().max() < 1e-3)


def _layers(state: Mapping[str, Tensor]) -> dict[str, Layer]:
    """Groups a head's tensors by layer, in the order of the file."""
    layers: dict[str, Layer] = {}
    for key, tensor in state.items():
        named = key.replace("parametrizations.weight.original0", "weight_g")
        named = named.replace("parametrizations.weight.original1", "weight_v")
        prefix, _, name = named.rpartition(".")
        if name != "num_batches_tracked":
            layers.setdefault(prefix, {})[name] = tensor
    return {prefix: layers[prefix] for prefix in _in_order(list(layers))}


def _in_order(prefixes: list[str]) -> list[str]:
    """Layers that are numbered by their number, DINO's last one last; others as the file has them."""
    last = [prefix for prefix in prefixes if prefix.rpartition(".")[2] == "last_layer"]
    others = [prefix for prefix in prefixes if prefix not in last]
    if len({re.sub(r"\d+$", "", prefix) for prefix in others}) == 1 and all(p[-1:].isdigit() for p in others):
        others.sort(key=lambda prefix: int(re.findall(r"\d+$", prefix)[0]))
    return others + last


def _fitted(mine: Layer, given: Layer) -> Layer | str:
    """The given layer with the names and the shapes of mine, or why that cannot be."""
    if "weight_g" in given and "weight" in mine:
        length = given["weight_v"].norm(dim=1, keepdim=True)
        given = {**given, "weight": given["weight_g"] * given["weight_v"] / length}
    layer: Layer = {}
    for name, tensor in mine.items():
        if name in given and given[name].shape == tensor.shape:
            layer[name] = given[name]
        elif name in given:
            return f"{name} is {tuple(given[name].shape)} in the file, {tuple(tensor.shape)} configured"
        elif name == "bias":
            layer[name] = torch.zeros_like(tensor)
        else:
            return f"the file has no {name}"
    is_norm = "running_mean" in mine
    return (
        "the file's BatchNorm scales, the configured one does not" if is_norm and given.keys() - mine.keys() else layer
    )
