"""Annotators of known accuracy: what comes out of a study is then known beforehand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.interpretability.forced_choice.answers.scores import Answer
from qscore.interpretability.forced_choice.trials import Trial


@dataclass(frozen=True)
class SimulatedAnnotators:
    """Annotators who are right with a given probability, independently of one another.

    An answer is a function of seed, annotator and trial, so that asking twice does not change it. With accuracy p in
    every class, coherence is p in expectation, and alpha (2p - 1)^2.

    Attributes:
        accuracy: Probability of a right answer, of all classes or of each.
        seed: Of the answers.
    """

    accuracy: float | Mapping[int, float]
    seed: int = 0

    def __post_init__(self) -> None:
        values = self.accuracy.values() if isinstance(self.accuracy, Mapping) else [self.accuracy]
        if wrong := [value for value in values if not 0 <= value <= 1]:
            raise UserError(f"Expected accuracies from 0 to 1, got {wrong[0]}; write 0.8 for 80 %.")

    def side(self, trial: Trial, annotator: str) -> int:
        """Returns the query that an annotator chooses.

        Raises:
            UserError: If there is no accuracy for the class.
        """
        if isinstance(self.accuracy, Mapping) and trial.group not in self.accuracy:
            raise UserError(f"Expected an accuracy for every class, got none for class {trial.group}.")
        accuracy = self.accuracy[trial.group] if isinstance(self.accuracy, Mapping) else self.accuracy
        uniform = int(fingerprint(str(self.seed), annotator, trial.trial_id), base=16) / 2**64
        return trial.positive_side if uniform < accuracy else 1 - trial.positive_side

    def answers(self, trials: Iterable[Trial], *, num_answers: int = 3, num_annotators: int = 30) -> list[Answer]:
        """Returns answers to every trial, by different annotators in turn.

        Args:
            trials: To answer.
            num_answers: To each.
            num_annotators: In all, `num_answers` at least.

        Raises:
            UserError: If there are fewer annotators than answers to a trial.
        """
        if not 1 <= num_answers <= num_annotators:
            raise UserError(
                f"Expected 1 to {num_annotators} answers to a trial, by different annotators, got {num_answers}."
            )
        turns = (
            (trial, f"simulated-{(place * num_answers + number) % num_annotators}")
            for place, trial in enumerate(trials)
            for number in range(num_answers)
        )
        return [Answer(trial.trial_id, annotator, self.side(trial, annotator)) for trial, annotator in turns]


def varied_accuracies(groups: Iterable[int], *, right: float = 8, wrong: float = 2, seed: int = 0) -> dict[int, float]:
    """Returns an accuracy for each class, drawn from Beta(right, wrong): by default 0.8 on average, and 0.12 apart.

    >>> sorted(varied_accuracies([3, 1])) == [1, 3]
    True
    """
    return {group: float(np.random.default_rng((seed, group)).beta(right, wrong)) for group in groups}
