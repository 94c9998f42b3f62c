"""From the groups of a run to the folder of questions about them."""

from collections.abc import Callable, Mapping

import numpy as np

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.feature_bridge import FeatureGroups
from qscore.interpretability.forced_choice.questions.asking import (
    AUTOMATIC,
    FIRST_FEATURE,
    HUMAN,
    about_features,
    about_groups,
)
from qscore.interpretability.forced_choice.questions.asking import together as as_one_study
from qscore.interpretability.forced_choice.questions.files import write_questions
from qscore.interpretability.forced_choice.questions.known import known_of_features, known_of_groups
from qscore.interpretability.forced_choice.studied import Studied
from qscore.interpretability.forced_choice.trials import TrialDesign, Trials
from qscore.interpretability.reverse_probing.concepts import listed


def ask(
    inputs: EvaluationInputs,
    studied: Studied,
    features: FeatureGroups,
    arrays: Mapping[str, np.ndarray],
    *,
    design: TrialDesign,
    kind: str,
    num_catch: int,
    ask_features: int,
) -> tuple[str, tuple[str, ...]]:
    """Writes questions about the chosen groups and about some features; returns the folder's name and what to know.

    The name is empty where nothing can be asked, or there are no images to show.

    Args:
        inputs: Representations.
        studied: The groups.
        features: That were compared.
        arrays: Of the result.
        design: How many of what.
        kind: What the groups were asked for as.
        num_catch: Questions that catch the careless.
        ask_features: How many features of each side to ask about.
    """
    if inputs.pictures is None:
        return "", ("There are no images at hand: no questions are written.",)
    captions, descriptions = (
        {int(g): str(text) for g, text in zip(arrays["group"], arrays[name], strict=True)}
        for name in ("caption", "description")
    )
    numbers = (FIRST_FEATURE + features.features).tolist()
    of_features = dict(zip(numbers, arrays["feature_caption"].tolist(), strict=True))
    parts: list[Trials] = []
    notes: list[str] = []
    texts = {HUMAN: descriptions, AUTOMATIC: captions}
    makers: list[Callable[[], Trials]] = []
    if studied.chosen:
        makers.append(lambda: about_groups(inputs, studied, texts, design))
    if ask_features:
        makers.append(lambda: about_features(inputs, features, {AUTOMATIC: of_features}, design, ask_features))
    for make in makers:
        try:
            parts.append(make())
        except UserError as error:
            notes.append(f"Some questions could not be made: {error}")
    if not parts:
        return "", tuple(notes)
    trials = as_one_study(parts, num_catch=num_catch, seed=inputs.seed)
    if trials.left_out:
        reasons = [f"{group}: {reason}" for group, reason in trials.left_out.items()]
        notes.append(f"{len(reasons)} chosen groups are not asked about: {listed(reasons)}.")
    asked = {trial.group for trial in trials.trials if trial.group < FIRST_FEATURE}
    known = known_of_groups(asked, studied, arrays, kind)
    known |= known_of_features(inputs, features, arrays, trials.nearest) if ask_features else {}
    return write_questions(inputs, trials, known), tuple(notes)
