"""Probes on parts of the features: against scikit-learn, and on representations where the best part is known."""

import itertools

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.evaluation.feature_selection import LOWER, MIDDLE, RANDOM, UPPER, feature_selection, subsets
from qscore.records import Representations
from qscore.results import Result
from tests.evaluation.planted import GENERAL, NUM_FEATURES, NUM_SPECIFIC, SPECIFIC, planted, planted_inputs

PERCENTAGES = (5, 20, NUM_SPECIFIC, 60, 100)


@pytest.fixture(scope="module")
def inputs() -> EvaluationInputs:
    return planted_inputs()


@pytest.fixture(scope="module")
def result(inputs: EvaluationInputs) -> Result:
    return feature_selection(inputs, percentages=PERCENTAGES)


def chosen(inputs: EvaluationInputs, name: str, sizes: list[int]) -> list[list[int]]:
    return next([part.tolist() for part in parts] for found, parts in subsets(inputs, sizes, 2) if found == name)


def test_the_middle_beats_both_tails_and_random_at_the_planted_size(result: Result) -> None:
    accuracy = {name: result.metrics[f"{name}/{NUM_SPECIFIC}pct"] or 0 for name in (MIDDLE, LOWER, UPPER, RANDOM)}
    assert accuracy[MIDDLE] >= (result.metrics["all_features"] or 0) - 0.01
    for name in (LOWER, UPPER, RANDOM):
        assert accuracy[MIDDLE] > accuracy[name] + 0.01, accuracy
    assert accuracy[LOWER] < 0.2
    assert result.metrics["smallest_middle_within_1_point_pct"] == NUM_SPECIFIC


def test_the_middle_is_d_at_its_size_and_leaves_out_of_both_tails_beyond(inputs: EvaluationInputs) -> None:
    small, exact, large, whole = chosen(inputs, MIDDLE, [20, NUM_SPECIFIC, 70, NUM_FEATURES])
    specific = set(range(SPECIFIC.start, SPECIFIC.stop))
    assert set(small) < specific == set(exact) < set(large) < set(whole)
    general = set(range(GENERAL.start, GENERAL.stop))
    assert 0 < len(general & set(large)) < len(general)
    assert sorted(whole) == list(range(NUM_FEATURES))


def test_tails_are_the_ends_of_the_order_and_ties_stand_by_number(inputs: EvaluationInputs) -> None:
    counts = inputs.mined.counts.tolist()
    order = sorted(range(NUM_FEATURES), key=lambda j: (counts[j], j))
    assert counts[order[0]] == 0
    assert chosen(inputs, LOWER, [30]) == [order[:30]]
    assert chosen(inputs, UPPER, [30]) == [order[-30:]]


@pytest.mark.parametrize("name", [MIDDLE, LOWER, UPPER, RANDOM])
def test_every_choice_holds_the_smaller_ones_and_is_the_same_again(inputs: EvaluationInputs, name: str) -> None:
    sizes = list(range(1, NUM_FEATURES + 1))
    parts = chosen(inputs, name, sizes)
    assert [len(set(part)) for part in parts] == sizes
    assert all(set(small) < set(large) for small, large in itertools.pairwise(parts))
    assert parts == chosen(planted_inputs(), name, sizes)


def test_random_orders_differ(inputs: EvaluationInputs) -> None:
    first, second = (parts[0].tolist() for name, parts in subsets(inputs, [30], 2) if name == RANDOM)
    assert set(first) != set(second)


@pytest.mark.parametrize("name", [MIDDLE, LOWER, UPPER])
def test_accuracy_is_scikit_learns_on_the_sliced_arrays(inputs: EvaluationInputs, result: Result, name: str) -> None:
    sizes = result.arrays["sizes"].tolist()
    train_labels, test_labels = (labels.numpy() for labels in inputs.labels)
    for features, found in zip(chosen(inputs, name, sizes), result.arrays[name], strict=True):
        train, test = (split.h.numpy()[:, features].astype(float) for split in (inputs.train, inputs.test))
        scaler = StandardScaler().fit(train)
        model = LogisticRegression(C=result.settings["C"], max_iter=1000).fit(scaler.transform(train), train_labels)
        assert found == pytest.approx((model.predict(scaler.transform(test)) == test_labels).mean(), abs=1e-12)


def test_all_features_are_the_probe(inputs: EvaluationInputs, result: Result) -> None:
    full = float(inputs.probe.correct.mean())
    assert result.metrics["all_features"] == full
    assert {result.metrics[f"{name}/100pct"] for name in (MIDDLE, LOWER, UPPER, RANDOM)} == {full}
    assert result.arrays[RANDOM].shape == (4, len(PERCENTAGES))


def test_an_empty_d_has_a_middle_and_a_note() -> None:
    silent = EvaluationInputs(planted(600, 0), planted(300, 1), epsilon=50.0)
    assert chosen(silent, MIDDLE, [10]) == [list(range(45, 55))]
    assert "D is empty" in feature_selection(silent, percentages=(10,), num_random=1).notes[0]


@pytest.mark.parametrize("num_features", [2, 3, 7])
def test_few_features_are_enough(num_features: int) -> None:
    h = torch.rand(40, num_features)
    labels = torch.arange(40) % 2
    small = Representations(h, labels, tuple(map(str, range(40))), ("a", "b"), "")
    found = feature_selection(EvaluationInputs(small, small, epsilon=0.5), num_random=1)
    assert found.arrays["sizes"].tolist()[0] == 1
    assert found.arrays["sizes"].tolist()[-1] == num_features


@pytest.mark.parametrize(("percentages", "num_random"), [((), 4), ((0, 50), 4), ((50, 101), 4), ((50,), 0)])
def test_sizes_out_of_range_are_refused(
    inputs: EvaluationInputs, percentages: tuple[int, ...], num_random: int
) -> None:
    with pytest.raises(UserError, match="from 1 to 100"):
        feature_selection(inputs, percentages=percentages, num_random=num_random)
