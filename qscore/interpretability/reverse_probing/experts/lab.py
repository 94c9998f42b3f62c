"""Colours as they are seen: sRGB to CIE-Lab, and the eleven basic names of English by the nearest focal colour."""

from functools import cache

import numpy as np
from jaxtyping import Float, Int

COLOUR_NAMES = ("black", "blue", "brown", "grey", "green", "orange", "pink", "purple", "red", "white", "yellow")
LEVELS, STEP = 32, 8

# Ours: what each name is used for, dark and light, dull and strong. Names after Berlin and Kay, 1969.
FOCAL = {
    "black": "000000 101010 1a1a22 201818 141e14",
    "blue": (
        "000040 b0d8e8 d0f8ff 4030ff 80d8d8 8888f8 181870 0000ff 0000b0 000070 1f4fd0 3070c0 4090e0 70b0f0 "
        "a0d0ff 00a0d0 00c8f0 405090 203050 00ffff 5070ff 7090b0"
    ),
    "brown": (
        "806000 705800 987010 a86010 401008 c09068 502820 8b4513 5c3010 402010 704214 a0622d 805030 906040 "
        "a07850 6b4a2b 3a2412 b08050 604830"
    ),
    "grey": "8898a8 d8d8d4 808080 383838 505050 686868 989898 b0b0b0 c4c4c4 707880 908a84",
    "green": (
        "005048 60f8b0 80d8b0 008000 00ff00 005000 003000 30a030 60c060 a0e8a0 90ee60 6b8e23 406020 00c080 "
        "80c000 70a080 c0ff80 508050 20b090"
    ),
    "orange": "ff8000 ff6a00 ffa500 e07020 ffa050 d08020 ff9040 f0b060",
    "pink": "ff5868 d878c0 c71585 ffc0cb ff80c0 ff69b4 ff1493 f0a0b0 e07090 ffa0a0 ffd8e4 ff90e0 e050a0 d890a8 ff40b0",
    "purple": (
        "280138 9470d8 800080 600090 400060 9030d0 a050d0 c080f0 ff00ff c000ff b060b0 d8b0f0 8000ff 604080 "
        "902070 7050a0"
    ),
    "red": "ff0000 c00000 900000 600008 e02020 d03040 b02030 f04040 a03030 ff3020",
    "white": "ffffff f4f4f4 fffaf0 f0f4fa e8e8e8",
    "yellow": "ffffd8 fff0c0 ffff00 f0e000 ffd800 ffff80 e0d040 c8b820 fff0a0 e8c030 b0a020 ffff40",
}


def srgb_to_lab(rgb: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
    """Returns CIE-Lab coordinates under D65 (IEC 61966-2-1; CIE 15).

    Args:
        rgb: In [0, 1].

    >>> srgb_to_lab(np.array([1.0, 0.0, 0.0])).round(1)
    array([53.2, 80.1, 67.2])
    """
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = linear @ to_xyz.T / to_xyz.sum(1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


@cache
def nearest_focal_colours() -> Int[np.ndarray, "red green blue"]:
    """Returns the number of the name of each of 32 x 32 x 32 colours, by the nearest focal one in CIE-Lab."""
    colours = [(i, colour) for i, name in enumerate(COLOUR_NAMES) for colour in FOCAL[name].split()]
    anchors = srgb_to_lab(np.array([list(bytes.fromhex(colour)) for _, colour in colours]) / 255)
    levels = (np.arange(LEVELS) * STEP + STEP / 2 - 0.5) / 255
    cells = srgb_to_lab(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3))
    nearest = ((cells[:, None] - anchors) ** 2).sum(-1).argmin(1)
    names: np.ndarray = np.array([i for i, _ in colours], dtype=np.int64)[nearest].reshape(LEVELS, LEVELS, LEVELS)
    return names
