"""Why a file of weights, or a word about it, is not taken: what was found, and what would help."""

from collections.abc import Collection, Sequence
from pathlib import Path

import timm

from qscore.encoders.architectures import UNCOUNTED
from qscore.encoders.layouts import Layout
from qscore.encoders.networks import TIMM
from qscore.encoders.recognition import LIKELY, Trunk
from qscore.encoders.resnet import RESNETS, STEMS
from qscore.errors import UserError, unknown_name

NUM_NAMED = 5  # keys in a message


def named(keys: Sequence[str]) -> str:
    """Returns a few keys and the number of the others.

    >>> named(["a", "b"]), named([]), named(list("abcdefg"))
    ('a, b', 'none', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(keys) - NUM_NAMED} more" if len(keys) > NUM_NAMED else ""
    return ", ".join(keys[:NUM_NAMED]) + more if keys else "none"


def own_keys(keys: Collection[str], trunk: Trunk) -> list[str]:
    """Returns the keys of a file, those that fit nothing first."""
    known = {*trunk.matched, *(name for name in keys if name.endswith(UNCOUNTED))}
    return sorted(keys, key=known.__contains__)


def closest(trunk: Trunk, layout: Layout) -> str:
    """Returns what a file that is not whole comes closest to, or that nothing is close."""
    if trunk.share < LIKELY:
        return "unknown, and nothing that is known here fits"
    return f"unknown, closest is {layout.name} ({layout.source})"


def refusal(path: Path, trunk: Trunk, layout: Layout, keys: Collection[str]) -> str:
    """Returns why a file without a whole trunk is not taken, and what would help.

    Args:
        path: The file.
        trunk: What of it comes closest to an encoder.
        layout: As which it was read.
        keys: All of the file's tensors.
    """
    num = len(trunk.matched) + len(trunk.differing)
    counted = f"{len(trunk.matched)} of {num} tensors of a {trunk.settings['architecture']}"
    start = f"Expected a checkpoint with the whole trunk of an encoder, got {path}: {closest(trunk, layout)}"
    own = f"The file's own keys are {named(own_keys(keys, trunk))}."
    if trunk.share < LIKELY:
        return (
            f"{start}: at best {counted}. {own} Rename them as torchvision does in a ResNet (layer1.0.conv1.weight) or "
            "timm in its models (blocks.0.attn.qkv.weight), and save it again; where they are timm's already, name "
            "the model with checkpoint.architecture=timm/NAME."
        )
    return (
        f"{start} with {counted}; {len(trunk.differing)} differ, first {'; '.join(trunk.differing[:NUM_NAMED])}. "
        f"{own} Name what it is with checkpoint.layout and checkpoint.architecture, or take what fits with "
        "checkpoint.allow_partial=true."
    )


def check_names(architecture: str | None, stem: str | None) -> None:
    """Raises a `UserError` for an architecture or a stem that does not exist."""
    if stem not in (None, *STEMS):
        raise unknown_name("checkpoint.stem", str(stem), STEMS)
    if architecture is None or architecture in RESNETS:
        return
    if architecture.startswith(TIMM):
        if timm.is_model(architecture.removeprefix(TIMM)):
            return
        raise UserError(
            f"Unknown checkpoint.architecture '{architecture}': timm has no model of that name. List its names with: "
            "python -c 'import timm; print(timm.list_models())'"
        )
    raise UserError(f"{unknown_name('checkpoint.architecture', architecture, RESNETS)} Or one of timm: timm/NAME.")


def check_stem(asked: str | None, trunk: Trunk, path: Path) -> None:
    """Raises a `UserError` where the stem that was asked for is not the one that the file has."""
    has = trunk.settings["stem"]
    if asked in (None, has) or not trunk.matched:
        return
    kernel = trunk.tensors.get("conv1.weight")
    side = 0 if kernel is None or kernel.ndim != 4 else kernel.shape[-1]
    found = f"a first convolution of {side}x{side}" if side else "no ResNet's stem"
    raise UserError(
        f"Expected checkpoint.stem to fit {path}, got {asked}, but the file has {found}. Leave checkpoint.stem out."
    )
