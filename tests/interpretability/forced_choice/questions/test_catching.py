"""Who does not look is caught, and nobody else; what catches counts nowhere."""

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.scores import Answer, score
from qscore.interpretability.forced_choice.questions.catching import careful_answers, with_catch_trials
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.trials import Trials, with_descriptions


def study() -> Trials:
    return make_trials(np.arange(60) % 2, [str(i) for i in range(60)])


def test_added_trials_show_their_positive_among_the_references() -> None:
    trials = with_catch_trials(study(), 9)
    added = [trial for trial in trials.trials if trial.is_catch]
    assert trials.trials[:40] == study().trials
    assert len(added) == 9
    assert all(trial.positive in trial.references and trial.negative not in trial.references for trial in added)
    assert sum(trial.positive_side for trial in added) == 4
    assert len({trial.trial_id for trial in trials.trials}) == len({trial.query_id for trial in trials.trials}) == 49
    assert trials == with_catch_trials(study(), 9)
    assert len(with_descriptions(trials, {0: "even", 1: "odd"}, "human").trials) == 40
    with pytest.raises(UserError, match="0 to 40 trials"):
        with_catch_trials(study(), 41)


def test_answers_of_the_careless_are_left_out() -> None:
    trials = with_catch_trials(study(), 10).trials
    careful = [Answer(trial.trial_id, "careful", trial.positive_side) for trial in trials]
    always_left = [Answer(trial.trial_id, "left", 0) for trial in trials]
    lucky = [Answer(trial.trial_id, "new", 0) for trial in trials if not trial.is_catch]
    caught = [trial for trial in trials if trial.is_catch][:2]
    slipped = [Answer(trial.trial_id, "slipped", 1 - trial.positive_side) for trial in caught]
    kept = careful_answers(trials, careful + always_left + lucky + slipped, min_accuracy=0.8)
    assert kept == careful + lucky + slipped  # two answers are too few to judge by
    assert careful_answers(trials, slipped, min_answers=2) == []
    assert careful_answers(trials, always_left, min_accuracy=0.5) == always_left  # right in half of them
    with pytest.raises(UserError, match=r"write 0\.8 for 80 %"):
        careful_answers(trials, [], min_accuracy=80)


def test_what_catches_counts_nowhere() -> None:
    trials = with_catch_trials(study(), 10).trials
    answers = [Answer(t.trial_id, "a", t.positive_side if t.is_catch else 1 - t.positive_side) for t in trials]
    found = score(trials, answers)
    assert (found.pooled.num_correct, found.pooled.num_answers) == (0, 40)
