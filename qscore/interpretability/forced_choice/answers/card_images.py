"""Pictures of the groups of a study, for cards (figs. 6, 7, 8 and 10): its images, and those of its hard negatives."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from qscore.data.reading import UNREADABLE, opened
from qscore.interpretability.forced_choice.answers.parts import in_order
from qscore.interpretability.forced_choice.answers.said import Record
from qscore.interpretability.forced_choice.trials import CONDITIONS, HARD
from qscore.interpretability.reverse_probing.concepts import listed

NUM_IMAGES, SIZE_PX = 10, 72
Shown = dict[str, None]


def card_images(
    records: Iterable[Record], folder: Path, *, num: int = NUM_IMAGES, size: int = SIZE_PX
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Returns some images of each group and of the group its hard negatives are from, as squares.

    Args:
        records: Of a study; the images that were shown are those there are.
        folder: Of the images.
        num: At most, of each.
        size: Of a square, in pixels.

    Returns:
        `examples_group` names, `examples` and `hard_examples` (group, image, y, x, 3) uint8, white where there
        are fewer or one cannot be read, and how many there are: `num_examples`, `num_hard_examples`; and which
        cannot be read.
    """
    inside: dict[str, Shown] = {}
    nearest: dict[str, Shown] = {}
    for record in records:
        inside.setdefault(record["group"], {}).update(dict.fromkeys(record["references"]))
        if record["condition"] in CONDITIONS and not record["is_catch"]:
            right, wrong = (record[side] for side in _sides(record))
            inside[record["group"]][right] = None
            if record.get("negatives") == HARD:
                nearest.setdefault(record["group"], {})[wrong] = None
    groups = in_order(group for group, shown in inside.items() if shown)
    arrays, unread = {"examples_group": np.array(groups, np.str_)}, dict[str, None]()
    for name, shown_by in (("examples", inside), ("hard_examples", nearest)):
        chosen = [sorted(shown_by.get(group, {}))[:num] for group in groups]  # opaque names: their order is a draw
        arrays[name] = np.full((len(groups), num, size, size, 3), 255, np.uint8)
        arrays[f"num_{name}"] = np.array([len(keys) for keys in chosen], int)
        for row, keys in enumerate(chosen):
            for place, key in enumerate(keys):
                try:
                    arrays[name][row, place] = square(folder / key, size)
                except UNREADABLE:
                    unread[key] = None
    return arrays, (f"Images that cannot be read are white on cards: {listed(list(unread))}.",) if unread else ()


def square(path: Path, size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Returns an image cut to a square around its middle; one that is smaller keeps its pixels as blocks."""
    with opened(path) as image:
        smaller = max(image.size) < size
        method = Image.Resampling.NEAREST if smaller else Image.Resampling.LANCZOS
        return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), method))


def _sides(record: Record) -> tuple[str, str]:
    return ("left", "right") if record["correct"] == "left" else ("right", "left")
