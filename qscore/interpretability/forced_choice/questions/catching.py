"""Trials that anybody who looks gets right, to leave out answers of those who do not."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.interpretability.forced_choice.answers.careless import MIN_ACCURACY, MIN_ANSWERS, is_careless
from qscore.interpretability.forced_choice.answers.scores import Answer
from qscore.interpretability.forced_choice.trials import IMAGES, Trial, Trials


def with_catch_trials(trials: Trials, num: int, *, seed: int = 0) -> Trials:
    """Returns the trials and some more whose positive is one of the images shown as references.

    Args:
        trials: Of a study; those of images are copied and changed.
        num: How many to add.
        seed: Of the draw.

    Raises:
        UserError: If there are fewer trials of images.
    """
    of_images = [trial for trial in trials.trials if trial.condition == IMAGES and not trial.is_catch]
    if not 0 <= num <= len(of_images):
        raise UserError(f"Expected 0 to {len(of_images)} trials to catch the careless, got {num}; ask for fewer.")
    generator = np.random.default_rng(seed)
    drawn = np.sort(generator.permutation(len(of_images))[:num])
    sides = generator.permutation(np.arange(num) % 2)
    added = [
        _catch(of_images[place], int(side), int(generator.integers(len(of_images[place].references))))
        for place, side in zip(drawn, sides, strict=True)
    ]
    return replace(trials, trials=(*trials.trials, *added))


def _catch(trial: Trial, side: int, number: int) -> Trial:
    query_id = fingerprint(trial.query_id, "catch")
    return replace(
        trial,
        trial_id=fingerprint(query_id, IMAGES),
        query_id=query_id,
        positive=trial.references[number],
        positive_side=side,
        is_catch=True,
    )


def careful_answers(
    trials: Iterable[Trial],
    answers: Iterable[Answer],
    *,
    min_answers: int = MIN_ANSWERS,
    min_accuracy: float = MIN_ACCURACY,
) -> list[Answer]:
    """Returns the answers of annotators who were right often enough where anybody who looks is.

    Args:
        trials: Of a study.
        answers: To them.
        min_answers: See `is_careless`.
        min_accuracy: Likewise.

    Raises:
        UserError: If the accuracy is not from 0 to 1.
    """
    if not 0 <= min_accuracy <= 1:
        raise UserError(f"Expected an accuracy from 0 to 1, got {min_accuracy}; write 0.8 for 80 %.")
    expected = {trial.trial_id: trial.positive_side for trial in trials if trial.is_catch}
    given = list(answers)
    caught: dict[str, Counter[bool]] = defaultdict(Counter)
    for answer in given:
        if answer.trial_id in expected:
            caught[answer.annotator][answer.side == expected[answer.trial_id]] += 1
    careless = {
        name
        for name, times in caught.items()
        if is_careless(times.total(), times[True], min_answers=min_answers, min_accuracy=min_accuracy)
    }
    return [answer for answer in given if answer.annotator not in careless]
