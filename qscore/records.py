"""The words that the stages speak to one another."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array
from torch import Tensor

NUM_GLOBAL_VIEWS = 2


class ViewBatch(NamedTuple):
    """Augmented views of the same images, pixel values in [0, 1].

    Attributes:
        global_views: Each (batch, 3, height, width), one tensor per large crop.
        local_views: The small crops of multi-crop methods; empty for the others.
        positions: Position of each image in its data set.
    """

    global_views: list[Float[Tensor, "batch 3 _ _"]]
    local_views: list[Float[Tensor, "batch 3 _ _"]]
    positions: Int[Tensor, " batch"]


class ImageBatch(NamedTuple):
    """Plain, un-augmented images, pixel values in [0, 1].

    Attributes:
        images: (batch, 3, height, width).
        positions: Position of each image in its data set.
        readable: False where the file could not be decoded and `images` holds black instead.
    """

    images: Float[Tensor, "batch 3 height width"]
    positions: Int[Tensor, " batch"]
    readable: Bool[Tensor, " batch"]


@dataclass(frozen=True)
class StepOutput:
    """What an SSL method returns for one batch.

    Attributes:
        loss: The method's published loss.
        representations: Output of the trained encoder for the global views, with gradient, (view, feature).
        log: Further numbers to log, detached.
    """

    loss: Float[Tensor, ""]
    representations: Float[Tensor, "view feature"]
    log: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Representations:
    """The representations of a data set by one encoder.

    Attributes:
        h: (sample, feature), float32.
        labels: Class of each sample, or None where the data has none.
        ids: Path or number of each sample.
        class_names: Name of each class; empty without labels.
        fingerprint: Of encoder weights, data and transform together.
    """

    h: Float[Tensor, "sample feature"]
    labels: Int[Tensor, " sample"] | None
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class Grouping:
    """Samples in groups, each in one at most: k-means clusters, classes, dominant features, what people made.

    Attributes:
        clusters: Group of each sample, from 0; -1 for a sample that is in none.
        source: What made the groups.
    """

    clusters: Int[np.ndarray, " sample"]
    source: str


@dataclass(frozen=True)
class Concepts:
    """Which concepts are present in which samples.

    Attributes:
        present: (sample, concept), bool, sparse.
        names: Of each concept; with its group it is unique.
        groups: Group of each concept: the expert that names it, or the kind of thing it is.
        ids: Of each sample, as in `Representations`.
    """

    present: csr_array
    names: tuple[str, ...]
    groups: tuple[str, ...]
    ids: tuple[str, ...]
