"""What the annotators of a study named, as arrays over all activations."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from qscore.interpretability.naming.coverage import MIN_IMAGES


@dataclass(frozen=True)
class Concept:
    """Activations that an annotator put together.

    Attributes:
        annotator: Place among the annotators.
        group: Place among the groups.
        name: In the annotator's words.
        num_activations: In it.
        num_images: That these are in.
    """

    annotator: int
    group: int
    name: str
    num_activations: int
    num_images: int

    @property
    def is_small(self) -> bool:
        """Whether it is seen in too few images to count (section 4, cleaning)."""
        return self.num_images < MIN_IMAGES


@dataclass(frozen=True)
class Named:
    """Namings of the same activations.

    Attributes:
        groups: What was named together: classes, or groups of features.
        annotators: Who named.
        activations: Ids.
        group_of: Place of the group of each activation.
        image_ids: Samples.
        image_of: Place of the image of each activation.
        features: Of each activation.
        concepts: Of all annotators.
        concept_of: Place of the concept of each activation; -1 where it has none, or a small one.
        discarded: What annotators called noise: unnamed in every figure.
        has_named: Whether an annotator did anything in a group.
        is_done: Whether they said that they had finished it.
    """

    groups: tuple[str, ...]
    annotators: tuple[str, ...]
    activations: tuple[str, ...]
    group_of: Int[np.ndarray, " activation"]
    image_ids: tuple[str, ...]
    image_of: Int[np.ndarray, " activation"]
    features: tuple[str, ...]
    concepts: tuple[Concept, ...]
    concept_of: Int[np.ndarray, "annotator activation"]
    discarded: Bool[np.ndarray, "annotator activation"]
    has_named: Bool[np.ndarray, "annotator group"]
    is_done: Bool[np.ndarray, "annotator group"]

    @property
    def feature_of(self) -> Int[np.ndarray, " activation"]:
        """A number of the feature of each activation."""
        return np.unique(np.array(self.features, dtype=np.str_), return_inverse=True)[1].reshape(-1)

    def inside(self, group: int) -> Bool[np.ndarray, " activation"]:
        """Returns which activations are of a group."""
        return np.asarray(self.group_of == group)
