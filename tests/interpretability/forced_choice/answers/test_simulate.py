"""A study whose annotators are known gives back what they are."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import binom

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.scores import Answer, score
from qscore.interpretability.forced_choice.answers.simulate import SimulatedAnnotators, varied_accuracies
from qscore.interpretability.forced_choice.coherence import coherence, krippendorff_alpha
from qscore.interpretability.forced_choice.questions.drawing import make_trials
from qscore.interpretability.forced_choice.trials import Trial, TrialDesign, with_descriptions


def study(num_classes: int = 20, num_trials: int = 100) -> tuple[Trial, ...]:
    clusters = np.arange(num_classes * 15) % num_classes
    ids = [str(i) for i in range(len(clusters))]
    return make_trials(clusters, ids, design=TrialDesign(num_trials=num_trials)).trials


@pytest.mark.parametrize("accuracy", [0.5, 0.8, 1.0])
def test_annotators_of_one_accuracy_give_it_back(accuracy: float) -> None:
    trials = study()
    found = score(trials, SimulatedAnnotators(accuracy).answers(trials))
    low, high = binom.ppf([0.001, 0.999], 6000, accuracy) / 6000
    assert found.pooled.num_answers == 6000
    assert low <= found.pooled.mean <= high
    assert found.alpha == pytest.approx((2 * accuracy - 1) ** 2, abs=0.03)
    assert len(found.by_class) == 20


def test_accuracies_that_vary_by_class_are_found_in_each() -> None:
    trials = study()
    accuracies = varied_accuracies(range(20))
    found = score(trials, SimulatedAnnotators(accuracies).answers(trials))
    inside = [found.by_class[c].low <= accuracies[c] <= found.by_class[c].high for c in range(20)]
    assert sum(inside) >= binom.ppf(0.001, 20, 0.95)
    assert found.over_classes is not None
    assert found.over_classes.high - found.over_classes.low > 2 * (found.pooled.high - found.pooled.low)
    drawn = list(varied_accuracies(range(2000)).values())
    assert np.mean(drawn) == pytest.approx(0.8, abs=0.01)
    assert np.std(drawn) == pytest.approx(np.sqrt(0.8 * 0.2 / 11), abs=0.01)


def test_an_annotator_repeats_an_answer_and_answers_a_trial_once() -> None:
    trials = study(2, 20)
    annotators = SimulatedAnnotators(0.7, seed=3)
    answers = annotators.answers(trials, num_answers=3, num_annotators=4)
    assert answers == annotators.answers(trials, num_answers=3, num_annotators=4)
    assert len({(answer.trial_id, answer.annotator) for answer in answers}) == len(answers) == 120
    assert answers != SimulatedAnnotators(0.7, seed=4).answers(trials, num_answers=3, num_annotators=4)
    with pytest.raises(UserError, match="1 to 2 answers"):
        annotators.answers(trials, num_annotators=2)


def test_scores_are_counts_by_hand() -> None:
    template = study(2, 1)[0]
    trials = [
        dataclasses.replace(template, trial_id=name, group=group, positive_side=side)
        for name, group, side in (("a", 0, 0), ("b", 0, 1), ("c", 5, 1), ("unanswered", 7, 0))
    ]
    said = {"a": (0, 0, 1), "b": (1, 1, 1), "c": (0, 1)}
    answers = [Answer(name, str(i), side) for name, sides in said.items() for i, side in enumerate(sides)]
    found = score(trials, [*answers, Answer("another study", "0", 0)])
    assert found.by_class == {0: coherence(5, 6), 5: coherence(1, 2)}
    assert found.pooled == coherence(6, 8)
    table = np.array([[0, 1, 0, np.nan], [0, 1, 1, np.nan], [1, 1, np.nan, np.nan]])
    assert found.alpha == pytest.approx(krippendorff_alpha(table))
    assert score(trials[2:], answers).over_classes is None


def test_conditions_are_scored_apart() -> None:
    images = make_trials(np.arange(40) % 2, [str(i) for i in range(40)])
    texts = with_descriptions(images, {0: "even", 1: "odd"}, "human")
    answers = SimulatedAnnotators(1.0).answers(images.trials) + SimulatedAnnotators(0.0).answers(texts.trials)
    assert (score(images.trials, answers).pooled.mean, score(texts.trials, answers).pooled.mean) == (1, 0)


def test_mistakes_are_named() -> None:
    trials = study(2, 1)
    name = trials[0].trial_id
    with pytest.raises(UserError, match="some of 2 trials, got none"):
        score(trials, [Answer("other", "a", 0)])
    with pytest.raises(UserError, match=f"got more: {name} by a"):
        score(trials, [Answer(name, "a", 0), Answer(name, "a", 1)])
    with pytest.raises(UserError, match="sides 0 or 1, got 2"):
        score(trials, [Answer(name, "a", 2)])
    with pytest.raises(UserError, match=r"write 0\.8 for 80 %"):
        SimulatedAnnotators(80)
    with pytest.raises(UserError, match="none for class 1"):
        SimulatedAnnotators({0: 0.5}).answers(trials)
