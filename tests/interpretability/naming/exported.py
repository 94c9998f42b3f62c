"""Namings as `export` writes them, from the concept of each activation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Record = dict[str, Any]


def facts(images: Sequence[int], features: Sequence[int], group: str = "cat") -> list[Record]:
    """What the maps say of each activation."""
    rows = enumerate(zip(images, features, strict=True))
    return [
        {"activation_id": f"{group} {i}", "group": group, "image": f"{group} {image}", "feature": str(feature)}
        for i, (image, feature) in rows
    ]


def record(annotator: int, naming: Sequence[int], names: Sequence[str], group: str = "cat", **more: Any) -> Record:
    """What an annotator named; -1 is unlabelled, -2 discarded."""
    places = np.asarray(naming)
    members = {k: [f"{group} {i}" for i in np.flatnonzero(places == k)] for k in (-2, -1, *range(len(names)))}
    concepts = [{"name": name, "members": members[k]} for k, name in enumerate(names)]
    found = {"annotator": annotator, "group": group, "concepts": concepts, "discarded": members[-2]}
    return {**found, "unlabelled": members[-1], "done": True, "num_actions": 9, "seconds": 60.0, **more}
