"""Are discriminative features easier to describe than others? Groups phi_j: images that feature j is dominant in."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.sides import compare_sides
from qscore.interpretability.forced_choice.automatic.table3 import Sentences
from qscore.interpretability.forced_choice.captions import class_captions
from qscore.interpretability.forced_choice.proxy import proxy_by_group
from qscore.interpretability.forced_choice.words.described import Described
from qscore.interpretability.reverse_probing.parts import Part
from qscore.score import dominant_features

DISCRIMINATIVE, OUTSIDE = "discriminative", "outside"
NAMES = (
    *("discriminative", "outside", "outside_rarer", "outside_commoner"),
    *(f"{name}{end}" for name in ("difference", "difference_adjusted") for end in ("", "_low", "_high")),
)


@dataclass(frozen=True)
class FeatureGroups:
    """Features to compare, ascending.

    Attributes:
        features: Their numbers.
        inside: Which of them are in D.
        present: (sample, feature): whether each is dominant in each training image.
    """

    features: Int[np.ndarray, " feature"]
    inside: Bool[np.ndarray, " feature"]
    present: Bool[np.ndarray, "sample feature"]

    @property
    def sizes(self) -> Int[np.ndarray, " feature"]:
        """Images in each group."""
        found: np.ndarray = self.present.sum(0)
        return found


def feature_groups(inputs: EvaluationInputs, *, least: int, num_features: int) -> FeatureGroups:
    """Returns some features of D and some outside of it, drawn at random.

    Args:
        inputs: Representations.
        least: Training images that a feature must be dominant in; and in one it must not be.
        num_features: Of each side, at most.
    """
    counts, inside = inputs.mined.counts.cpu().numpy(), inputs.discriminative.cpu().numpy()
    askable = (counts >= least) & (counts < len(inputs.train.h))
    generator = np.random.default_rng(inputs.seed)
    drawn = [generator.permutation(np.flatnonzero(askable & side))[:num_features] for side in (inside, ~inside)]
    features = np.sort(np.concatenate(drawn))
    rows = torch.split(inputs.train.h, max(1, 2**24 // inputs.train.h.shape[1]))
    parts = [dominant_features(part, inputs.epsilon)[:, features].numpy() for part in rows]
    return FeatureGroups(features, inside[features], np.concatenate(parts))


def describe_features(
    inputs: EvaluationInputs, found: FeatureGroups, described: Described, sentences: Sentences
) -> Part:
    """Returns the comparison.

    Each feature gets the caption of eq. 4; the images that it finds are told by h_j from images found for another of
    the features. D is a band of sizes, so that no feature outside has the size of one inside: beside the plain
    difference stand the features that are rarer and commoner than those of D, and the difference adjusted for the
    logarithm of the size, see `compare_sides`.
    """
    counts: dict[str, float | None] = {
        "features/num_discriminative": float(found.inside.sum()),
        "features/num_outside": float((~found.inside).sum()),
    }
    metrics = counts | dict.fromkeys((f"features/{name}" for name in NAMES), None)
    captions, binary = np.full(len(found.features), "", dtype=object), np.full(len(found.features), np.nan)
    if len(found.features):
        rows = class_captions(sentences.train, found.present)
        captions = np.array([described.train[row] for row in rows], dtype=object)
        if sentences.pool is not None and len(found.features) > 1:
            of_pool = inputs.test.h[:, found.features].numpy().astype(np.float64)
            proxy = proxy_by_group(sentences.find(sentences.train[rows]), of_pool, seed=inputs.seed)
            binary = proxy.binary.mean(0)
            compared = compare_sides(binary, found.inside, found.sizes, seed=inputs.seed)
            metrics |= {f"features/{name}": value for name, value in compared.items()}
    bands = np.where(found.inside, DISCRIMINATIVE, OUTSIDE)
    arrays = {
        "feature": found.features.astype(np.int64),
        "feature_band": bands.astype(str),
        "feature_binary": binary,
        "feature_size": found.sizes.astype(np.int64),
        "feature_caption": captions.astype(str),
    }
    return Part(metrics, arrays)
