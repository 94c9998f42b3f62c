"""A method's transform, read as operations that work on a whole batch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qscore.data.augment.blur import Blur
from qscore.data.augment.color import Grayscale, Jitter, Solarize
from qscore.data.augment.crop import RADIUS_PX, Crop
from qscore.errors import UserError

Operation = Jitter | Grayscale | Solarize | Blur
TO_FLOAT = ("ToTensor", "ToDtype", "ConvertImageDtype")
TO_BYTES = ("ToImage", "PILToTensor")


class NotBatchedError(UserError):
    """A transform that only works on one image at a time."""


@dataclass(frozen=True)
class View:
    """How one view is made: a crop, then operations on its colours and sharpness."""

    crop: Crop
    operations: tuple[Operation, ...]


def read_views(transform: Any, *, yiq: bool = False) -> list[View]:
    """Returns the views that a transform makes of an image, each as operations on a batch.

    Understood are lightly's multi-view transforms, and torchvision's `Compose` (of either version) around a random
    resized crop, flips, colour jitter, grayscale, blur, solarization and the conversions to a tensor. Probabilities
    and ranges are read from the objects, so that the recipe stays in one place.

    Args:
        transform: RGB image to a list of views; with an attribute `transforms`, one for each view.
        yiq: Turn hues in YIQ space, see `Jitter`.

    Raises:
        NotBatchedError: If it contains anything else.
    """
    if not hasattr(transform, "transforms"):
        raise _unknown(transform)
    return [_view(list(_leaves(view)), yiq) for view in transform.transforms]


def _view(leaves: Sequence[Any], yiq: bool) -> View:
    if not leaves or _kind(leaves[0]) != "RandomResizedCrop":
        raise _unknown(leaves[0] if leaves else "an empty transform")
    crop = _crop(leaves[0])
    operations: list[Operation] = []
    ends_in_float = False
    for leaf in leaves[1:]:
        kind = _kind(leaf)
        if kind in TO_FLOAT and getattr(leaf, "scale", True):
            ends_in_float = True
            continue
        if kind == "RandomHorizontalFlip" and not operations:
            crop = replace(crop, flip_horizontal=float(leaf.p))
        elif kind == "RandomVerticalFlip" and not operations:
            crop = replace(crop, flip_vertical=float(leaf.p))
        elif kind in READERS:
            operations.append(READERS[kind](leaf))
        elif kind == "RandomApply" and len(leaf.transforms) == 1 and _kind(leaf.transforms[0]) in SOMETIMES:
            inner = leaf.transforms[0]
            operation = READERS[_kind(inner)](inner)
            operations.append(replace(operation, probability=float(leaf.p) * operation.probability))
        elif kind not in (*TO_BYTES, "Identity") and _probability(leaf) != 0:
            raise _unknown(leaf)
    if not ends_in_float:
        raise _unknown(f"{_kind(leaves[-1])} at the end, which leaves no floating-point pixels in [0, 1]")
    operations = [replace(each, yiq=yiq) if isinstance(each, Jitter) else each for each in operations]
    return View(crop, tuple(each for each in operations if _acts(each)))


def _leaves(transform: Any) -> Iterator[Any]:
    """A composition's parts, in order; lightly's views keep theirs under `transform`."""
    inner = getattr(transform, "transform", None)
    if _kind(transform) == "Sequential":
        for part in transform:
            yield from _leaves(part)
    elif _kind(transform) == "Compose":
        for part in transform.transforms:
            yield from _leaves(part)
    elif _kind(inner) == "Compose":
        yield from _leaves(inner)
    else:
        yield transform


def _crop(leaf: Any) -> Crop:
    interpolation = str(getattr(leaf.interpolation, "value", leaf.interpolation))
    if interpolation not in RADIUS_PX or getattr(leaf, "antialias", True) is False:
        raise _unknown(leaf)
    height, width = leaf.size if isinstance(leaf.size, Sequence) else (leaf.size, leaf.size)
    return Crop((int(height), int(width)), tuple(leaf.scale), tuple(leaf.ratio), interpolation)


def _torchvision_blur(leaf: Any) -> Blur:
    reach = {int(size) // 2 for size in leaf.kernel_size}
    if len(reach) > 1:
        raise _unknown(leaf)
    return Blur(1.0, tuple(leaf.sigma), reach_px=reach.pop(), reflect=True)


def _blur(leaf: Any) -> Blur:
    return Blur(float(leaf.prob), tuple(leaf.sigmas)) if hasattr(leaf, "sigmas") else _torchvision_blur(leaf)


def _jitter(leaf: Any) -> Jitter:
    ranges = (leaf.brightness, leaf.contrast, leaf.saturation, leaf.hue)
    brightness, contrast, saturation, hue = (None if each is None else tuple(each) for each in ranges)
    return Jitter(brightness, contrast, saturation, hue)


READERS: dict[str, Callable[[Any], Operation]] = {
    "ColorJitter": _jitter,
    "RandomGrayscale": lambda leaf: Grayscale(float(leaf.p)),
    "GaussianBlur": _blur,
    "RandomSolarization": lambda leaf: Solarize(float(leaf.prob), leaf.threshold / 255),
    "RandomSolarize": lambda leaf: Solarize(float(leaf.p), leaf.threshold / (255 if leaf.threshold > 1 else 1)),
}
SOMETIMES = ("ColorJitter", "GaussianBlur")


def _acts(operation: Operation) -> bool:
    if isinstance(operation, Jitter) and not any((operation.brightness, operation.contrast, operation.saturation)):
        return operation.hue is not None and operation.probability > 0
    return operation.probability > 0


def _kind(transform: Any) -> str:
    return type(transform).__name__


def _probability(leaf: Any) -> float:
    """Of what is not understood; such as lightly's rotation, which is in every recipe with probability 0."""
    inner = getattr(leaf, "transform", leaf)
    return float(getattr(inner, "prob", getattr(inner, "p", 1.0)))


def _unknown(transform: Any) -> NotBatchedError:
    return NotBatchedError(
        "Expected torchvision's or lightly's usual transforms, to make views in batches on the device, got "
        f"{' '.join(str(transform).split())}. Set data.views_on=workers to make them one by one, in the loader."
    )
