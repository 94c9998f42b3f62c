"""The numbers of the evaluation `naming`."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.naming.activations import Activations
from qscore.interpretability.naming.explained import Explained


class Tally:
    """How many features matter in how many images of all groups, of which only some are named.

    Args:
        source: See `Activations`; X-features of two classes are two, whatever their numbers.
    """

    def __init__(self, source: str) -> None:
        self.is_of_class = source == "xnn"
        self.num_activations = self.num_images = self.num_without = 0
        self.features: set[tuple[str, int]] = set()

    def add(self, chosen: Bool[np.ndarray, "sample term"], groups: Sequence[str]) -> None:
        """Counts the significant terms of some images, and of their groups."""
        self.num_activations += int(chosen.sum())
        self.num_images += len(chosen)
        self.num_without += int((~chosen.any(1)).sum())
        names = np.array(groups if self.is_of_class else [""] * len(chosen), dtype=np.str_)
        for name in np.unique(names).tolist():
            self.features.update((name, term) for term in np.flatnonzero(chosen[names == name].any(0)).tolist())

    def metrics(self) -> dict[str, float | None]:
        """Returns the numbers."""
        return {
            "num_activations": self.num_activations,
            "num_images": self.num_images,
            "significant_features": self.num_activations / self.num_images,
            "distinct_features": len(self.features),
            "without_evidence": self.num_without / self.num_images,
        }


def of_networks(explained: Explained | None) -> dict[str, float | None]:
    """How far explanation networks can be believed."""
    if explained is None:
        return {}
    found = explained.fidelity
    return {
        "xnn_accuracy": found.accuracy,
        "network_accuracy": found.network_accuracy,
        "xnn_same_decision": found.same_decision,
        "xnn_error": max(found.errors),
        "xnn_dead_features": sum(found.dead),
    }


def of_classes(inputs: EvaluationInputs, explained: Explained | None) -> dict[str, dict[str, float]]:
    """What table 1 says of the explanation network of each class."""
    if explained is None:
        return {}
    names = [inputs.test.class_names[label] for label in inputs.probe.model.classes.tolist()]
    errors = zip(names, explained.fidelity.rmse, explained.fidelity.ranges, strict=True)
    return {name: {"rmse": rmse, "range": score_range} for name, rmse, score_range in errors}


def of_maps(maps: Float[Tensor, "activation height width"]) -> dict[str, float | None]:
    """How many maps show nothing; the others are >= 0 and sum to 1 as they are made."""
    return {"blank_maps": int((maps == 0).all((1, 2)).sum()) if len(maps) else 0}


def as_arrays(activations: Activations) -> dict[str, np.ndarray]:
    """The activations themselves, and the images without any."""
    rows = activations.activations
    names = {name: sorted(samples) for name, samples in activations.without_evidence.items()}
    return {
        "activation": np.array([one.activation_id for one in rows], str),
        "sample": np.array([one.sample for one in rows], str),
        "group": np.array([one.group for one in rows], str),
        "feature": np.array([one.feature for one in rows], np.int64),
        "contribution": np.array([one.contribution for one in rows], np.float64),
        "share": np.array([one.share for one in rows], np.float64),
        "without_evidence": np.array([sample for samples in names.values() for sample in samples], str),
    }
