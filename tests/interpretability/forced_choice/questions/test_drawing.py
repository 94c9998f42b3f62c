"""Trials are what section 3 says: who is shown, on which side, from where."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.questions.drawing import make_trials, nearest_groups
from qscore.interpretability.forced_choice.trials import Trial, TrialDesign, Trials, with_descriptions
from qscore.interpretability.membership import members_by_group
from qscore.records import Grouping
from tests.interpretability.forced_choice.planted import three_groups

BOTH = TrialDesign(negatives=("random", "hard"))


def made(seed: int = 0, **options: object) -> Trials:
    clusters, ids, features = three_groups()
    return make_trials(
        Grouping(clusters, "made up"), ids, **{"features": features, "design": BOTH, **options}, seed=seed
    )


def group_of(sample: str) -> int:
    clusters, ids, _ = three_groups()
    return int(clusters[ids.index(sample)])


@pytest.mark.parametrize("trial", made().trials[::7], ids=lambda trial: trial.trial_id)
def test_a_trial_shows_ten_of_the_class_and_one_more_and_one_other(trial: Trial) -> None:
    shown = {*trial.references, trial.positive, trial.negative}
    assert len(shown) == 12
    assert {group_of(sample) for sample in shown - {trial.negative}} == {trial.group}
    assert group_of(trial.negative) != trial.group


def test_hard_negatives_come_from_the_nearest_class_and_random_ones_from_anywhere() -> None:
    trials = made().trials
    # 7 is too small to be asked about, and still the nearest of nobody; -1 is no class, but outside of every one
    hard = {(trial.group, group_of(trial.negative)) for trial in trials if trial.negatives == "hard"}
    assert hard == {(0, 1), (1, 0), (2, 1)}
    assert made().nearest == {0: 1, 1: 0, 2: 1}
    many = made(design=TrialDesign(num_trials=115)).trials
    drawn = Counter(group_of(trial.negative) for trial in many if trial.group == 0)
    assert drawn == {1: 40, 2: 40, 7: 5, -1: 30}  # all 115, none twice


def test_random_negatives_and_positives_are_uniform() -> None:
    trials = [
        trial for seed in range(60) for trial in made(seed, chosen=[0], features=None, design=TrialDesign()).trials
    ]
    for drawn, num in ((Counter(t.negative for t in trials), 115), (Counter(t.positive for t in trials), 40)):
        expected = len(trials) / num
        assert len(drawn) == num
        # draws without replacement within a study vary less than a multinomial
        assert sum((times - expected) ** 2 / expected for times in drawn.values()) < num + 4 * np.sqrt(2 * num)


@pytest.mark.parametrize("num_trials", [1, 20, 21])
def test_sides_are_balanced_in_each_class_and_kind(num_trials: int) -> None:
    trials = made(design=replace(BOTH, num_trials=num_trials)).trials
    for key, num in Counter((trial.group, trial.negatives) for trial in trials).items():
        right = sum(trial.positive_side for trial in trials if (trial.group, trial.negatives) == key)
        assert num == num_trials
        assert abs(2 * right - num) <= num % 2
    orders = {tuple(t.positive_side for t in made(seed).trials[:20]) for seed in range(5)}
    assert len(orders) == 5
    in_classes = {tuple(t.positive_side for t in made(chosen=[group]).trials) for group in (0, 1, 2)}
    assert len(in_classes) == 3


def test_queries_come_twice_only_where_a_class_is_too_small() -> None:
    clusters = np.repeat([0, 1], [11, 3])
    trials = make_trials(clusters, list("abcdefghijklmn"), chosen=[0]).trials
    assert sorted(Counter(trial.positive for trial in trials).values()) == [1, 1] + 9 * [2]
    assert sorted(Counter(trial.negative for trial in trials).values()) == [6, 7, 7]


def test_a_class_draws_the_same_whoever_else_is_asked_about() -> None:
    alone, together = made(chosen=[2]).trials, made().trials
    assert alone == tuple(trial for trial in together if trial.group == 2)
    assert made() == made()
    assert {t.trial_id for t in made(1).trials}.isdisjoint(t.trial_id for t in together)
    assert len({trial.trial_id for trial in together}) == len({trial.query_id for trial in together}) == 3 * 2 * 20


def test_descriptions_keep_queries_and_sides() -> None:
    trials = made()
    described = with_descriptions(trials, {0: " a dog ", 1: "a cat", 2: "a bird"}, "human")
    automatic = with_descriptions(trials, {0: "dog", 1: "dog", 2: "dog"}, "automatic")
    for image, text in zip(trials.trials, described.trials, strict=True):
        same = ("query_id", "group", "negatives", "positive", "negative", "positive_side")
        assert [getattr(image, name) for name in same] == [getattr(text, name) for name in same]
        assert (text.condition, text.references, text.described_by) == ("description", (), "human")
    assert described.trials[0].description == "a dog"
    every = [*trials.trials, *described.trials, *automatic.trials]
    assert len({trial.trial_id for trial in every}) == len(every)
    with pytest.raises(UserError, match="got none of 2 of 3: 1, 2"):
        with_descriptions(trials, {0: "a dog", 1: "  "}, "human")


def test_classes_that_cannot_be_asked_about_are_listed() -> None:
    assert made().left_out == {7: "5 samples, 11 needed"}
    ids = [str(i) for i in range(12)]
    for clusters in (np.zeros(12, int), np.ones((12, 1), bool)):
        with pytest.raises(UserError, match="class 0: no sample outside"):
            make_trials(clusters, ids)
    single = np.repeat([0, -1], [11, 1])
    with pytest.raises(UserError, match="no other class for hard negatives"):
        make_trials(single, ids, features=np.zeros((12, 1)), design=BOTH)
    assert len(make_trials(single, ids).trials) == 20


def test_of_groups_that_overlap_negatives_are_still_outside() -> None:
    """A sample in both is a member of both: it is nobody's negative."""
    is_in = np.zeros((60, 3), dtype=bool)
    is_in[:20, 0] = is_in[5:40, 1] = is_in[:12, 2] = True  # 2 is part of 0, whose mean is nearest to it
    features = np.arange(60.0)[:, None]
    ids = [str(i) for i in range(60)]
    trials = make_trials(is_in, ids, features=features, design=BOTH)
    assert trials.nearest == {0: 1, 1: 0, 2: 0}
    for trial in trials.trials:
        assert is_in[[int(sample) for sample in trial.references], trial.group].all()
        assert is_in[int(trial.positive), trial.group]
        assert not is_in[int(trial.negative), trial.group]


def test_nearest_means_are_those_of_a_search_through_all() -> None:
    generator = np.random.default_rng(0)
    clusters, features = generator.integers(0, 12, 300), generator.normal(size=(300, 5))
    means = {c: features[clusters == c].mean(0) for c in range(12)}
    for group, found in nearest_groups(features, members_by_group(clusters), range(12)).items():
        others = {c: np.linalg.norm(means[c] - means[group]) for c in means if c != group}
        assert found == min(others, key=lambda c: others[c])


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="Expected features of the 155 samples for hard negatives, got none"):
        made(features=None)
    with pytest.raises(UserError, match="got 3, 99; there are 4 others"):
        made(chosen=[0, 3, 99])
    with pytest.raises(UserError, match="Did you mean 'hard'"):
        made(design=TrialDesign(negatives=("hardest",)))
    with pytest.raises(UserError, match="once, got hard, hard"):
        made(design=TrialDesign(negatives=("hard", "hard")))
    with pytest.raises(UserError, match="at least 1 each"):
        made(design=TrialDesign(num_trials=0))
    with pytest.raises(UserError, match="same 2 samples, got groups of 3"):
        make_trials(np.array([0, 0, 1]), ["a", "b"])
    with pytest.raises(UserError, match="2 samples with 1 ids"):
        make_trials(np.array([0, 1]), ["a", "a"])
