"""What the evaluations say of representations whose truth is known."""

import dataclasses

import pytest
import torch

from qscore.evaluation import EvaluationInputs
from qscore.evaluation.misclassification import misclassification
from tests.evaluation.drowned import CLASS_FEATURES, planted


@pytest.fixture(scope="module")
def inputs() -> EvaluationInputs:
    return EvaluationInputs(planted(2000)[0], planted(1000, share_drowned=0.5, seed=1)[0], epsilon=2.0)


def test_the_band_finds_the_features_of_classes(inputs: EvaluationInputs) -> None:
    found = inputs.discriminative
    assert (found & CLASS_FEATURES).sum() >= 0.95 * CLASS_FEATURES.sum()
    assert (found & ~CLASS_FEATURES).sum() <= 0.1 * found.sum()


@pytest.mark.parametrize("formula", ["ratio", "centered"])
def test_q_finds_the_samples_that_are_drowned_in_noise(inputs: EvaluationInputs, formula: str) -> None:
    result = misclassification(dataclasses.replace(inputs, formula=formula), num_bootstraps=200)
    auroc = result.metrics["auroc"]
    assert auroc is not None
    assert auroc > 0.95
    assert result.metrics[f"q_{formula}/auroc"] == pytest.approx(auroc, abs=1e-6)
    assert result.metrics[f"q_{formula}/minus_q"] == 0


def test_shuffled_labels_leave_nothing_to_predict(inputs: EvaluationInputs) -> None:
    """Which samples a probe of meaningless labels gets right is an accident."""

    def shuffled(part: str) -> object:
        representations = getattr(inputs, part)
        order = torch.randperm(len(representations.labels), generator=torch.Generator().manual_seed(0))
        return dataclasses.replace(representations, labels=representations.labels[order])

    chance = EvaluationInputs(shuffled("train"), shuffled("test"), epsilon=2.0)  # type: ignore[arg-type]
    metrics = misclassification(chance, num_bootstraps=500).metrics
    assert metrics["auroc_low"] < 0.5 < metrics["auroc_high"]
    label_free = ("hoyer", "gini", "knn_distance_k1", "first_version", "num_dominant")
    assert all(abs(metrics[f"{name}/auroc"] - 0.5) < 0.12 for name in label_free)


def test_every_score_is_ranked_on_the_same_samples(inputs: EvaluationInputs) -> None:
    result = misclassification(inputs, num_bootstraps=100)
    names = [str(name) for name in result.arrays["score_names"]]
    assert result.arrays["scores"].shape == (len(names), len(inputs.test.h))
    assert {"q_ratio", "q_centered", "hoyer", "prototype_entropy_50", "max_softmax"} <= set(names)
    for name in names:
        low, middle, high = (result.metrics[f"{name}/minus_q{end}"] for end in ("_low", "", "_high"))
        assert low is not None
        assert low <= middle <= high


def test_the_ceiling_beats_chance_within_a_predicted_class(inputs: EvaluationInputs) -> None:
    metrics = misclassification(inputs, num_bootstraps=50).metrics
    assert metrics["max_softmax/auroc"] > 0.9
    assert metrics["max_softmax/auroc_within"] > 0.8
