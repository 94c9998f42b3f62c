"""Features and classes: against loops, and on representations whose class-specific features are known."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.evaluation.class_statistics import class_means, class_selectivity, class_weights, feature_groups
from qscore.evaluation.classes import classes
from qscore.evaluation.probe import fit_linear
from qscore.records import Representations
from qscore.results import Result
from tests.evaluation.planted import (
    EPSILON,
    GENERAL,
    NUM_CLASSES,
    NUM_FEATURES,
    PER_CLASS,
    SINGLE,
    SPECIFIC,
    planted,
    planted_inputs,
)
from tests.references import q_score as reference


@pytest.fixture(scope="module")
def inputs() -> EvaluationInputs:
    return planted_inputs()


@pytest.fixture(scope="module")
def result(inputs: EvaluationInputs) -> Result:
    return classes(inputs)


def test_d_is_the_features_of_classes(inputs: EvaluationInputs, result: Result) -> None:
    assert np.flatnonzero(result.arrays["discriminative"]).tolist() == list(range(SPECIFIC.start, SPECIFIC.stop))
    groups = feature_groups(inputs.mined.counts.numpy(), inputs.discriminative.numpy())
    assert np.flatnonzero(groups["lower_tail"]).tolist() == list(range(SINGLE.start, SINGLE.stop))
    assert np.flatnonzero(groups["upper_tail"]).tolist() == list(range(GENERAL.start, GENERAL.stop))
    assert (groups["other"] == groups["lower_tail"] | groups["upper_tail"]).all()


def test_class_shares_equal_the_loops(inputs: EvaluationInputs, result: Result) -> None:
    counts, sizes = np.zeros((NUM_CLASSES, NUM_FEATURES)), np.zeros(NUM_CLASSES)
    for row, label in zip(inputs.test.h.tolist(), inputs.labels[1].tolist(), strict=True):
        sizes[label] += 1
        for j in reference.dominant(row, EPSILON):
            counts[label, j] += 1
    np.testing.assert_allclose(result.arrays["shares"], counts / sizes[:, None], rtol=1e-6)


def test_selectivity_equals_the_loops(result: Result) -> None:
    shares = result.arrays["shares"].astype(float)
    for j in range(NUM_FEATURES):
        total = shares[:, j].sum()
        portions = [share / total for share in shares[:, j] if share > 0]
        expected = 1 + sum(p * np.log(p) for p in portions) / np.log(NUM_CLASSES) if total else np.nan
        assert result.arrays["selectivity"][j] == pytest.approx(expected, nan_ok=True, abs=1e-5)


def test_features_of_classes_are_told_from_those_of_everything_and_of_single_samples(result: Result) -> None:
    metrics = result.metrics
    assert metrics["selectivity/discriminative"] == pytest.approx(1, abs=0.01)
    assert metrics["selectivity/upper_tail"] == pytest.approx(0, abs=0.01)
    assert metrics["largest_share/upper_tail"] == 1
    assert 0.3 < (metrics["largest_share/discriminative"] or 0) < 0.7
    assert metrics["selectivity/lower_tail"] == pytest.approx(1)  # which is why the share stands beside it
    assert metrics["largest_share/lower_tail"] == pytest.approx(1 / 30)


def test_the_head_gives_features_of_classes_the_weights_of_these_classes(result: Result) -> None:
    of_class = np.arange(SPECIFIC.stop - SPECIFIC.start) // PER_CLASS
    assert (result.arrays["weights"][:, SPECIFIC].argmax(0) == of_class).all()
    assert result.metrics["weight_agreement/discriminative"] == 1
    assert result.metrics["weight_agreement/discriminative_chance"] == pytest.approx(1 / NUM_CLASSES)
    assert (result.metrics["weight_agreement/other"] or 0) < 0.6


def test_weights_are_scikit_learns(inputs: EvaluationInputs, result: Result) -> None:
    h = inputs.train.h.numpy().astype(float)
    model = LogisticRegression(C=result.settings["C"], max_iter=10_000, tol=1e-8).fit(
        StandardScaler().fit_transform(h), inputs.labels[0].numpy()
    )
    np.testing.assert_allclose(result.arrays["weights"], model.coef_, atol=2e-3 * abs(model.coef_).max())


def test_the_one_row_of_a_head_for_two_classes_becomes_two_of_the_same_probabilities() -> None:
    generator = np.random.default_rng(0)
    h, labels = generator.normal(size=(80, 3)), np.repeat([0, 2], 40)
    h[labels == 2] += 1
    model = fit_linear(h, labels, 0.1)
    weights = class_weights(model, 3)
    assert np.isnan(weights[1]).all()
    standardised = (h - model.mean) / model.scale
    scores = standardised @ weights[[0, 2]].T + np.array([-1, 1]) * model.intercepts / 2
    softmax = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(softmax, model.probabilities(h), atol=1e-12)


def test_averages_equal_the_loops_over_right_and_wrong_samples(inputs: EvaluationInputs, result: Result) -> None:
    correct = inputs.probe.correct
    assert 0 < correct.mean() < 1
    for name, wanted in (("right", True), ("wrong", False)):
        for c in range(NUM_CLASSES):
            rows = [
                h
                for h, label, right in zip(inputs.test.h.tolist(), inputs.labels[1].tolist(), correct, strict=True)
                if label == c and right == wanted
            ]
            assert result.arrays[f"num_{name}"][c] == len(rows)
            expected = np.mean(rows, 0) if rows else np.full(NUM_FEATURES, np.nan)
            np.testing.assert_allclose(result.arrays[name][c], expected, rtol=1e-5)


def test_wrong_samples_lack_the_features_of_d(result: Result) -> None:
    both = (result.arrays["num_right"] > 0) & (result.arrays["num_wrong"] > 0)
    assert result.metrics["average/num_classes"] == both.sum() > 0
    inside, outside = (
        np.mean([result.arrays["right"][c][mask].mean() for c in np.flatnonzero(both)])
        for mask in (result.arrays["discriminative"], ~result.arrays["discriminative"])
    )
    assert result.metrics["average/right/ratio"] == pytest.approx(inside / outside, rel=1e-5)
    assert (result.metrics["average/right/ratio"] or 0) > 1.1 * (result.metrics["average/wrong/ratio"] or 9)


def test_a_class_without_samples_is_not_a_number_and_counts_for_nothing() -> None:
    values, labels = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 2])
    shares = class_means(values, labels, 4)
    assert np.isnan(shares[[1, 3]]).all()
    assert class_selectivity(shares).tolist() == pytest.approx([0.0, np.nan], nan_ok=True)
    test = planted(300, 1)
    assert test.labels is not None
    kept = test.labels != 3
    some = Representations(test.h[kept], test.labels[kept], test.ids, test.class_names, "")
    found = classes(EvaluationInputs(planted(600, 0), some, epsilon=EPSILON))
    assert np.isnan(found.arrays["shares"][3]).all()
    assert found.metrics["selectivity/upper_tail"] == pytest.approx(0, abs=0.01)


def test_what_cannot_be_said_is_none_with_a_note() -> None:
    silent = EvaluationInputs(planted(600, 0), planted(300, 1), epsilon=50.0)
    found = classes(silent)
    assert found.metrics["largest_share/discriminative"] is None
    assert found.metrics["weight_agreement/discriminative_chance"] is None
    assert "No feature is discriminative" in found.notes[0]
    easy = planted(300, 1)
    assert easy.labels is not None
    h = torch.nn.functional.one_hot(easy.labels, NUM_FEATURES).float()
    perfect = EvaluationInputs(dataclasses.replace(easy, h=h), dataclasses.replace(easy, h=h), epsilon=EPSILON)
    found = classes(perfect)
    assert found.metrics["average/wrong/ratio"] is None
    assert "both right and wrong" in found.notes[-1]


def test_labels_are_needed() -> None:
    unlabelled = dataclasses.replace(planted(300, 1), labels=None, class_names=())
    with pytest.raises(UserError, match="without labels"):
        classes(EvaluationInputs(unlabelled, unlabelled))
