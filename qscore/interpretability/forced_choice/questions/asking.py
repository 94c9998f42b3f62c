"""All trials about some groups of a run: images and descriptions, random and hard negatives, catch trials."""

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.feature_bridge import FeatureGroups
from qscore.interpretability.forced_choice.questions.catching import with_catch_trials
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.studied import Studied
from qscore.interpretability.forced_choice.trials import IMAGES, RANDOM, Trial, TrialDesign, Trials, with_descriptions

FIRST_FEATURE = 1_000_000  # group number of feature 0: no other group is numbered so
AUTOMATIC, HUMAN = "automatic", "human"
Texts = Mapping[int, str]


def about_groups(inputs: EvaluationInputs, studied: Studied, texts: Mapping[str, Texts], design: TrialDesign) -> Trials:
    """Returns trials about the chosen groups: images, then each description.

    As in the paper, images are asked about with both kinds of negatives and descriptions with random ones.

    Args:
        inputs: Representations, whose nearest means are the hard negatives.
        studied: The groups.
        texts: Descriptions of groups by who wrote them; groups without one are not asked about so.
        design: How many of what.

    Raises:
        UserError: If no group can be asked about.
    """
    trials = make_trials(
        studied.grouping,
        inputs.train.ids,
        chosen=studied.chosen,
        features=inputs.train.h.numpy(),
        design=design,
        seed=inputs.seed,
    )
    return _described(trials, texts)


def about_features(
    inputs: EvaluationInputs, found: FeatureGroups, texts: Mapping[str, Texts], design: TrialDesign, num: int
) -> Trials:
    """Returns trials about features of D and outside of it; group numbers begin at 1,000,000.

    Args:
        inputs: Representations.
        found: The features.
        texts: As of `about_groups`, by the numbers of groups.
        design: How many of what.
        num: Features of each side, at most.

    Raises:
        UserError: If no feature can be asked about.
    """
    generator = np.random.default_rng(inputs.seed)
    sides = (np.flatnonzero(found.inside), np.flatnonzero(~found.inside))
    drawn = np.concatenate([generator.permutation(side)[:num] for side in sides])
    try:
        trials = make_trials(
            found.present,
            inputs.train.ids,
            chosen=drawn.tolist(),
            features=inputs.train.h.numpy(),
            design=design,
            seed=inputs.seed + FIRST_FEATURE,
        )
    except UserError as error:
        numbered = re.sub(r"class (\d+)", lambda place: f"feature {found.features[int(place[1])]}", str(error))
        raise UserError(numbered) from error
    number = {place: FIRST_FEATURE + int(feature) for place, feature in enumerate(found.features)}
    renamed = replace(
        trials,
        trials=tuple(replace(trial, group=number[trial.group]) for trial in trials.trials),
        nearest={number[group]: number[other] for group, other in trials.nearest.items()},
        left_out={number[group]: reason for group, reason in trials.left_out.items()},
    )
    return _described(renamed, texts)


def together(parts: list[Trials], *, num_catch: int, seed: int) -> Trials:
    """Returns the trials of several parts as those of one study, with catch trials where there are images."""
    whole = replace(
        parts[0],
        trials=tuple(trial for part in parts for trial in part.trials),
        nearest={group: other for part in parts for group, other in part.nearest.items()},
        left_out={group: reason for part in parts for group, reason in part.left_out.items()},
        seed=seed,
    )
    num_images = sum(trial.condition == IMAGES for trial in whole.trials)
    return with_catch_trials(whole, min(num_catch, num_images), seed=seed)


def _described(trials: Trials, texts: Mapping[str, Texts]) -> Trials:
    added: list[Trial] = []
    for who, of_groups in texts.items():
        named = {group: text for group, text in of_groups.items() if text.strip()}
        asked = [trial for trial in trials.trials if trial.negatives == RANDOM and trial.group in named]
        if asked:
            added += with_descriptions(replace(trials, trials=tuple(asked)), named, who).trials
    return replace(trials, trials=(*trials.trials, *added))
