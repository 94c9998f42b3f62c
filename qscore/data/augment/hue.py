"""Shifts of the hue of a batch, a shift for each sample."""

import math
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

TO_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


def shift_hue(
    images: Float[Tensor, "sample 3 height width"], turns: Float[Tensor, " sample"], *, yiq: bool = False
) -> Float[Tensor, "sample 3 height width"]:
    """Returns the images with their hue shifted.

    Args:
        images: In [0, 1].
        turns: Shift of each, in turns of the colour circle.
        yiq: Turn the chroma plane of YIQ instead of the hue of HSV: linear, cheaper, and not the same; the luma stays.
    """
    return _turned_in_yiq(images, turns) if yiq else _shifted_in_hsv(images, turns)


def _shifted_in_hsv(images: Tensor, turns: Tensor) -> Tensor:
    """Adds to H, and goes back by f(n) = V - (V - min) clamp(min(k, 4 - k), 0, 1) with k = (n + 6H) mod 6.

    For n = 5, 3, 1 these are red, green and blue (the closed form of the HSV hexcone).
    """
    red, green, blue = images.unbind(1)
    value, lowest = images.amax(1), images.amin(1)
    chroma = value - lowest
    safe = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    sector = torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4)
    sector = torch.where(value == red, (green - blue) / safe, sector)
    sector = sector.add_(6 * turns[:, None, None])
    offsets = 5.0 - 2.0 * torch.arange(3, device=images.device)  # made there: a copy would make the host wait
    k = torch.remainder(offsets[:, None, None] + sector[:, None], 6)
    weight = torch.minimum(k, 4 - k).clamp_(0, 1)
    return torch.addcmul(value[:, None], weight, chroma[:, None], value=-1)


def _turned_in_yiq(images: Tensor, turns: Tensor) -> Tensor:
    num, channels, height, width = images.shape
    to_yiq, from_yiq = _yiq(images.device)
    cos, sin = torch.cos(2 * math.pi * turns), torch.sin(2 * math.pi * turns)
    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    turn = torch.stack([one, zero, zero, zero, cos, sin, zero, -sin, cos], 1).view(num, 3, 3)
    matrices = (from_yiq @ turn @ to_yiq).to(images.dtype)
    return torch.bmm(matrices, images.reshape(num, channels, -1)).view(num, channels, height, width).clamp_(0, 1)


@cache
def _yiq(device: torch.device) -> tuple[Tensor, Tensor]:
    """Returns the matrix from RGB to YIQ and its inverse; brought to a device once."""
    to_yiq = torch.tensor(TO_YIQ)
    return to_yiq.to(device), torch.linalg.inv(to_yiq).to(device)
