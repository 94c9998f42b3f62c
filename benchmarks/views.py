"""The views of a batch, against lightly's one by one and kornia's batches (C1 to C3; H3 and H4 on a GPU)."""

from collections.abc import Callable
from importlib.util import find_spec

import torch
from PIL import Image

from benchmarks.harness import interleaved, ratio
from benchmarks.made import Gate, gate
from benchmarks.steps import Setting, seconds, views_alone


def views(device: torch.device, rounds: int, *, small: bool = False) -> dict[str, Gate]:
    """Returns the time of the views of a batch of each size, by each maker."""
    sizes = {32: 8, 96: 4} if small else {32: 256, 96: 64} if device.type == "cpu" else {32: 1024, 224: 256}
    return {f"{size}px": _compared(Setting(size, "", num, num), device, rounds) for size, num in sizes.items()}


def _compared(s: Setting, device: torch.device, rounds: int) -> Gate:
    makers: dict[str, Callable[[], object]] = {
        "ours": views_alone(s, device),
        "ours, yiq": views_alone(s, device, yiq=True),
    }
    if device.type == "cpu":
        pictures, transform = [Image.fromarray(image) for image in s.images()], s.transform()
        makers["lightly"] = lambda: [transform(picture) for picture in pictures]
    if find_spec("kornia"):
        makers["kornia"] = _kornia(s, device)
    if device.type == "cpu":
        times = interleaved(makers, rounds)
    else:
        for make in makers.values():
            make()
        times = {name: [seconds(make, device) for _ in range(10 * rounds)] for name, make in makers.items()}
    small, goals = s.size <= 32, {}
    if "lightly" in times:
        goals["lightly / ours"] = (ratio(times, "lightly", "ours"), 4 if small else 1.05, None)
        goals["lightly / ours, yiq"] = (ratio(times, "lightly", "ours, yiq"), None if small else 1.6, None)
    if "kornia" in times:
        goals["kornia / ours"] = (ratio(times, "kornia", "ours"), 1.4 if device.type == "cpu" else 2, None)
    return gate(times, goals)


def _kornia(s: Setting, device: torch.device) -> Callable[[], object]:
    """The same views by kornia, its own parameters for each sample, in parts of the same size on a CPU."""
    from kornia import augmentation as K  # noqa: N812

    strength = 0.4 if s.size <= 32 else 0.8
    view = K.AugmentationSequential(
        K.RandomResizedCrop((s.size, s.size), scale=(0.08, 1.0)),
        K.RandomHorizontalFlip(),
        K.ColorJiggle(strength, strength, strength, strength / 4, p=0.8),
        K.RandomGrayscale(p=0.2),
        *([] if s.size <= 32 else [K.RandomGaussianBlur((13, 13), (0.1, 2.0), p=0.5)]),
    )
    images = torch.from_numpy(s.images()).permute(0, 3, 1, 2).to(device)
    part = max(1, 2**16 // s.size**2) if device.type == "cpu" else len(images)
    return lambda: [view(each.float() / 255) for _ in range(2) for each in torch.split(images, part)]
