"""What is known of each group that people are asked about, for the study and its report."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.feature_bridge import FeatureGroups
from qscore.interpretability.forced_choice.cards import mean_q
from qscore.interpretability.forced_choice.questions.asking import FIRST_FEATURE
from qscore.interpretability.forced_choice.studied import Studied, purities
from qscore.interpretability.groupings import common_label
from qscore.interpretability.membership import members_by_group
from qscore.interpretability.reverse_probing.clustered import DOMINANT, KMEANS, LABELS
from qscore.records import Grouping

KINDS = {KMEANS: "k-means", LABELS: "labels", DOMINANT: "dominant features"}
Facts = dict[int, dict[str, Any]]


def known_of_groups(asked: Iterable[int], studied: Studied, arrays: Mapping[str, np.ndarray], grouping: str) -> Facts:
    """Returns the facts of the groups that are asked about.

    Args:
        asked: Numbers of groups.
        studied: All groups.
        arrays: Of the result, over all groups.
        grouping: What they were asked for as.
    """
    found: Facts = {}
    for group in sorted(asked):
        place, drawn = studied.numbers.index(group), studied.chosen.get(group)
        found[group] = {
            "kind": KINDS.get(grouping, Path(grouping).name),
            "band": "",
            "purity_range": None if drawn is None else list(drawn),
            "purity": _number(arrays["purity"][place]),
            "size": int(arrays["size"][place]),
            "mean_q": _number(arrays["mean_q"][place]),
            "information": _number(arrays["information"][place]),
            "caption": str(arrays["caption"][place]),
            "hard_negative": int(arrays["hard_negative"][place]),
            "common_label": str(arrays["common_label"][place]),
            "proxy": _number(arrays["binary"][place]),
        }
    return found


def known_of_features(
    inputs: EvaluationInputs,
    features: FeatureGroups,
    arrays: Mapping[str, np.ndarray],
    nearest: Mapping[int, int],
) -> Facts:
    """Returns the facts of features that are asked about, by the numbers of their groups.

    Args:
        inputs: Representations.
        features: All that were compared.
        arrays: Of the result, over these.
        nearest: Group that hard negatives of each group asked about come from.
    """
    places = [place for place, feature in enumerate(features.features) if FIRST_FEATURE + int(feature) in nearest]
    if not places:
        return {}
    pure = dict(zip(places, purities(inputs, features.present[:, places]), strict=True))
    q = dict(zip(places, mean_q(inputs, members_by_group(features.present[:, places])), strict=True))
    numbers = {place: FIRST_FEATURE + int(features.features[place]) for place in places}
    return {
        numbers[place]: {
            "kind": KINDS[DOMINANT],
            "band": str(arrays["feature_band"][place]),
            "purity_range": None,
            "purity": _number(pure[place]),
            "size": int(arrays["feature_size"][place]),
            "mean_q": _number(q[place]),
            "information": None,
            "caption": str(arrays["feature_caption"][place]),
            "hard_negative": nearest[numbers[place]],
            "common_label": _common_label(inputs, features.present[:, place]),
            "proxy": _number(arrays["feature_binary"][place]),
        }
        for place in places
    }


def _common_label(inputs: EvaluationInputs, inside: np.ndarray) -> str:
    if inputs.train.labels is None or not inputs.train.class_names:
        return ""
    group = Grouping(np.where(inside, 0, -1), "")
    return inputs.train.class_names[common_label(inputs.train.labels.numpy(), group, 0)]


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
