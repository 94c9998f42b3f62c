"""Answers of annotators, and what they say about classes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.agreement import alpha_of_counts
from qscore.interpretability.forced_choice.coherence import CONFIDENCE, Coherence, class_bootstrap, coherence
from qscore.interpretability.forced_choice.trials import Trial
from qscore.interpretability.reverse_probing.concepts import listed


@dataclass(frozen=True)
class Answer:
    """Which query an annotator took for one of the class.

    Attributes:
        trial_id: Of the trial.
        annotator: Who.
        side: 0 for the first or left query, 1 for the second.
    """

    trial_id: str
    annotator: str
    side: int


@dataclass(frozen=True)
class Score:
    """What the answers to some trials say, such as those of a range of purity: a cell of table 1 or 2.

    Attributes:
        pooled: All answers together, with the paper's interval: for these classes.
        over_classes: The same with an interval for classes like these; None for a single class.
        alpha: Krippendorff's, of the sides chosen; NaN where it is not defined.
        by_class: Of each class that has an answer.
    """

    pooled: Coherence
    over_classes: Coherence | None
    alpha: float
    by_class: Mapping[int, Coherence]


def score(
    trials: Iterable[Trial], answers: Iterable[Answer], *, confidence: float = CONFIDENCE, seed: int = 0
) -> Score:
    """Returns coherence, or describability, and agreement over some trials.

    Args:
        trials: Of one condition and one kind of negative. Answers to others, and to those that catch the careless, are
            not counted.
        answers: Of any annotators, one each to a trial.
        confidence: Of the intervals.
        seed: Of the draws of classes.

    Raises:
        UserError: If no trial has an answer, an annotator answered one twice, or a side is not 0 or 1.
    """
    known = {trial.trial_id: trial for trial in trials if not trial.is_catch}
    counted = [answer for answer in answers if answer.trial_id in known]
    _check(counted, len(known))
    chosen = Counter((answer.trial_id, answer.side) for answer in counted)
    sides = np.array([[chosen[name, 0], chosen[name, 1]] for name in known])
    right = sides[np.arange(len(sides)), [trial.positive_side for trial in known.values()]]
    groups = np.array([trial.group for trial in known.values()])
    answered = [group for group in np.unique(groups).tolist() if sides[groups == group].any()]
    correct = np.array([right[groups == group].sum() for group in answered])
    total = np.array([sides[groups == group].sum() for group in answered])
    return Score(
        coherence(int(correct.sum()), int(total.sum()), confidence=confidence),
        class_bootstrap(correct, total, confidence=confidence, seed=seed),
        alpha_of_counts(sides),
        {
            group: coherence(int(k), int(n), confidence=confidence)
            for group, k, n in zip(answered, correct, total, strict=True)
        },
    )


def _check(answers: list[Answer], num_trials: int) -> None:
    if not answers:
        raise UserError(f"Expected answers to some of {num_trials} trials, got none; collect answers first.")
    if wrong := sorted({str(answer.side) for answer in answers} - {"0", "1"}):
        raise UserError(f"Expected sides 0 or 1, got {listed(wrong)}.")
    times = Counter((answer.trial_id, answer.annotator) for answer in answers)
    if twice := [f"{trial} by {annotator}" for (trial, annotator), number in times.items() if number > 1]:
        raise UserError(f"Expected one answer of an annotator to a trial, got more: {listed(twice)}; keep the first.")
