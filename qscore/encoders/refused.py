"""Why a file of weights, or a word about it, is not taken: what was found, and what would help."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import timm
from torch import Tensor

from qscore.encoders.architectures import UNCOUNTED
from qscore.encoders.layouts import LAYOUTS, Layout
from qscore.encoders.networks import TIMM
from qscore.encoders.recognition import LIKELY, Recognised, Trunk
from qscore.encoders.resnet import RESNETS, STEMS
from qscore.errors import UserError, unknown_name

NUM_NAMED = 5  # keys in a message
NAME_IT = "name the model with checkpoint.architecture=timm/NAME."
KNOWN_NAME = re.compile(r"(^|\.)(layer[1-4]\.\d+\.(conv\d|bn\d|downsample)|blocks\.\d+\.(norm\d?|attn|mlp))\.")


def named(keys: Sequence[str]) -> str:
    """Returns a few keys and the number of the others.

    >>> named(["a", "b"]), named([]), named(list("abcdefg"))
    ('a, b', 'none', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(keys) - NUM_NAMED} more" if len(keys) > NUM_NAMED else ""
    return ", ".join(keys[:NUM_NAMED]) + more if keys else "none"


def own_keys(tensors: Mapping[str, Tensor], reading: Recognised) -> tuple[str, ...]:
    """Returns the keys of a file, those that fit nothing first.

    A tensor is known by itself and not by its name: layouts take prefixes off, and translate what is behind them.
    """
    odd = {
        id(tensor)
        for trunk in reading.trunks.values()
        for name, tensor in trunk.tensors.items()
        if name not in trunk.matched and not name.endswith(UNCOUNTED)
    }
    unclaimed = set(reading.unclaimed)

    def fits(key: str) -> bool:
        return id(tensors[key]) not in odd and unclaimed.isdisjoint((key, key.removeprefix(reading.container)))

    return tuple(sorted(tensors, key=fits))


def counts(trunk: Trunk) -> tuple[int, int, int]:
    """Returns how many tensors are missing, unexpected and of another shape."""
    missing = sum(phrase.endswith("is missing") for phrase in trunk.differing)
    unexpected = sum(phrase.endswith("is unexpected") for phrase in trunk.differing)
    return missing, unexpected, len(trunk.differing) - missing - unexpected


def is_cut(trunk: Trunk) -> bool:
    """Returns whether what is there fits, and most is not there."""
    _, unexpected, resized = counts(trunk)
    return trunk.share < LIKELY and unexpected < len(trunk.matched) and not resized


def closest(trunk: Trunk, layout: Layout, asked: Sequence[str]) -> str:
    """Returns what a file that is not whole comes closest to, or that nothing is close, whatever was `asked` of it."""
    near = f"unknown, closest is {f'{layout.name} ({layout.source})' if layout in LAYOUTS else layout.source}"
    if trunk.share >= LIKELY:
        return near
    if is_cut(trunk):
        return f"{near}, of which most is missing"
    return f"unknown, and nothing that is known here fits{' with ' if asked else ''}{' and '.join(asked)}"


def refusal(path: Path, trunk: Trunk, layout: Layout, keys: Sequence[str], asked: Sequence[str]) -> str:
    """Returns why a file without a whole trunk is not taken, and what would help.

    Args:
        path: The file.
        trunk: What of it comes closest to an encoder.
        layout: As which it was read.
        keys: Of all the file's tensors, those that fit nothing first.
        asked: What was said of it, as options.
    """
    num = len(trunk.matched) + len(trunk.differing)
    fit = f"{len(trunk.matched)} of {num} tensors of a {trunk.settings['architecture']} fit"
    if trunk.share >= LIKELY or is_cut(trunk):
        found = f": {fit}; {len(trunk.differing)} differ, first {'; '.join(trunk.differing[:NUM_NAMED])}"
    else:
        found = f": at best {fit}" if trunk.matched else ""
    return (
        f"Expected a checkpoint with the whole trunk of an encoder, got {path}: {closest(trunk, layout, asked)}"
        f"{found}. The file's own keys are {named(keys)}. "
        f"{' '.join(_advice(trunk, layout, keys, asked))}"
    )


def _advice(trunk: Trunk, layout: Layout, keys: Sequence[str], asked: Sequence[str]) -> Iterator[str]:
    if asked:
        yield f"Leave {' and '.join(asked)} out, or name what the file is."
    if trunk.share >= LIKELY or is_cut(trunk):
        if is_cut(trunk):
            yield "Download or save the file again, whole."
        elif not asked:
            layouts = "checkpoint.layout and " if layout in LAYOUTS else ""
            yield f"Name what it is with {layouts}checkpoint.architecture."
        yield "What fits is taken with checkpoint.allow_partial=true."
    elif not any(KNOWN_NAME.search(key) for key in keys):
        yield (
            "Rename the keys as torchvision does in a ResNet (layer1.0.conv1.weight) or timm in its models "
            f"(blocks.0.attn.qkv.weight), and save the file again; where they are timm's already, {NAME_IT}"
        )
    elif not asked:
        yield f"The keys are torchvision's or timm's: save the file again if it is not whole, or {NAME_IT}"


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
    if asked is None or not trunk.matched:
        return
    kernel = trunk.tensors.get("conv1.weight")
    side = 0 if kernel is None or kernel.ndim != 4 else kernel.shape[-1]
    fits = trunk.settings["architecture"] not in RESNETS or side in (0, STEMS[asked][0])
    if fits and asked == trunk.settings["stem"]:
        return
    found = f"a first convolution of {side}x{side}" if side else "no ResNet's stem"
    raise UserError(
        f"Expected checkpoint.stem to fit {path}, got {asked}, but the file has {found}. Leave checkpoint.stem out."
    )
