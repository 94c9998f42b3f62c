"""Coherence of a class: the share of right answers (eqs. 1 and 3), and how surely it is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from scipy.stats import binomtest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.agreement import krippendorff_alpha as krippendorff_alpha

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Coherence:
    """A share of right answers with an interval; 0.5 is guessing.

    Attributes:
        mean: Right answers over answers.
        low: Lower end of the interval.
        high: Its upper end.
        num_correct: Right answers.
        num_answers: All answers.
        confidence: Of the interval.
    """

    mean: float
    low: float
    high: float
    num_correct: int
    num_answers: int
    confidence: float


def coherence(num_correct: int, num_answers: int, *, confidence: float = CONFIDENCE) -> Coherence:
    """Returns the coherence of a class, or of several pooled, with its Clopper-Pearson interval.

    C = E[z = h(...)] (eq. 1, or 3 for descriptions). The interval is exact for independent answers of one accuracy: it
    never covers less than it says. Pooled over classes it holds for these classes only; of other classes like them it
    says little (see `class_bootstrap`).

    Args:
        num_correct: Right answers.
        num_answers: All answers, 1 at least.
        confidence: Between 0 and 1; the paper's is 95 %.

    Raises:
        UserError: If the counts do not fit, or the confidence is not between 0 and 1.

    >>> c = coherence(431, 600)   # the first cell of table 1: 71.8 [68.0, 75.4]
    >>> f"{c.mean:.3f} [{c.low:.3f}, {c.high:.3f}]"
    '0.718 [0.680, 0.754]'
    """
    if not 0 <= num_correct <= num_answers or num_answers < 1 or num_correct % 1 or num_answers % 1:
        raise UserError(
            f"Expected whole numbers, 1 answer at least and no more right ones, got {num_correct} of {num_answers}; "
            "count the answers of the class again."
        )
    _check(confidence)
    correct, answers = int(num_correct), int(num_answers)
    interval = binomtest(correct, answers).proportion_ci(confidence, method="exact")
    return Coherence(correct / answers, float(interval.low), float(interval.high), correct, answers, confidence)


def class_bootstrap(
    num_correct: Int[np.ndarray, " group"],
    num_answers: Int[np.ndarray, " group"],
    *,
    confidence: float = CONFIDENCE,
    num_resamples: int = 10_000,
    seed: int = 0,
) -> Coherence | None:
    """Returns the pooled coherence of some classes with an interval for classes like them.

    Classes are drawn again with replacement, each with all its answers; the interval is that between percentiles of
    the pooled share. Classes differ more than answers do: where their accuracies are Beta(8, 2), an interval of 95 %
    over 10 classes of 60 answers covers the mean of all classes in 89 % of studies, the pooled Clopper-Pearson
    interval in 57 %.

    Args:
        num_correct: Right answers in each class.
        num_answers: All answers in each.
        confidence: Between 0 and 1.
        num_resamples: How often the classes are drawn.
        seed: Of the draws.

    Returns:
        None for a single class, which says nothing about others.

    Raises:
        UserError: If a class has no answer or more right ones than answers, or the confidence is not between 0 and 1.

    >>> c = class_bootstrap(np.array([30, 60]), np.array([60, 60]))
    >>> c.mean, c.low, c.high
    (0.75, 0.5, 1.0)
    """
    _check(confidence)
    if num_correct.shape != num_answers.shape or ((num_correct < 0) | (num_correct > num_answers)).any():
        raise UserError(
            f"Expected right answers of {len(num_answers)} classes, no more than answers in any, got "
            f"{num_correct.tolist()} of {num_answers.tolist()}."
        )
    if not len(num_answers) or not num_answers.all():
        raise UserError("Expected an answer in every class, got none in some; leave those classes out.")
    if len(num_answers) == 1:
        return None
    draws = np.random.default_rng(seed).integers(len(num_answers), size=(num_resamples, len(num_answers)))
    shares = num_correct[draws].sum(1) / num_answers[draws].sum(1)
    low, high = np.quantile(shares, [(1 - confidence) / 2, (1 + confidence) / 2])
    correct, answers = int(num_correct.sum()), int(num_answers.sum())
    return Coherence(correct / answers, float(low), float(high), correct, answers, confidence)


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise UserError(f"Expected a confidence between 0 and 1, got {confidence}; write 0.95 for 95 %.")
