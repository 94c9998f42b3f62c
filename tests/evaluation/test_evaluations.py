"""Evaluations against scikit-learn and against loops, on made representations of known structure."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from qscore import q_score
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.evaluation.dominance import dominance
from qscore.evaluation.knn import knn
from qscore.evaluation.linear_probe import linear_probe
from qscore.evaluation.misclassification import misclassification
from qscore.evaluation.ranking import aurc, ranking_metrics, risk_at_coverage
from qscore.evaluation.sparsity import sparsity
from qscore.records import Representations
from tests.references import q_score as reference

NUM_CLASSES = 6


def clouds(num_samples: int, *, noise: float = 0.7, seed: int = 0, num_features: int = 40) -> Representations:
    """ReLU-like features: each class has a few of its own, of varying strength."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_samples) % NUM_CLASSES
    h = torch.randn(num_samples, num_features, generator=generator).mul(noise).relu()
    strength = torch.rand(num_samples, 1, generator=generator) * 3 + 0.1
    h.scatter_add_(1, torch.stack([labels * 3, labels * 3 + 1], 1), strength.expand(-1, 2))
    names = tuple(f"class {c}" for c in range(NUM_CLASSES))
    return Representations(h, labels, tuple(map(str, range(num_samples))), names, f"fingerprint{seed}")


@pytest.fixture
def inputs() -> EvaluationInputs:
    return EvaluationInputs(clouds(300), clouds(180, seed=1), epsilon=1.5)


def test_the_probe_is_scikit_learns_optimum_at_the_chosen_strength(inputs: EvaluationInputs) -> None:
    result = linear_probe(inputs)
    scaler = StandardScaler().fit(inputs.train.h.numpy().astype(float))
    model = LogisticRegression(C=result.settings["C"], max_iter=5000, tol=1e-8)
    model.fit(scaler.transform(inputs.train.h.numpy()), inputs.train.labels)
    expected = model.predict(scaler.transform(inputs.test.h.numpy()))
    labels = inputs.labels[1].numpy()
    assert (result.arrays["predictions"] == expected).mean() > 0.99
    assert result.metrics["top1"] == pytest.approx((result.arrays["predictions"] == labels).mean())
    assert result.metrics["class/class 2"] == pytest.approx(
        (result.arrays["predictions"] == labels)[labels == 2].mean()
    )
    top5 = np.argsort(-model.predict_proba(scaler.transform(inputs.test.h.numpy())), 1)[:, :5]
    assert result.metrics["top5"] == pytest.approx((top5 == labels[:, None]).any(1).mean(), abs=0.01)


def test_the_strength_is_chosen_without_the_test_set(inputs: EvaluationInputs) -> None:
    shuffled = Representations(
        inputs.test.h, inputs.labels[1][torch.randperm(180)], inputs.test.ids, inputs.test.class_names, ""
    )
    other = EvaluationInputs(inputs.train, shuffled, epsilon=1.5)
    assert linear_probe(other).settings["C"] == linear_probe(inputs).settings["C"]
    assert linear_probe(other).metrics["top1"] < 0.5


def test_a_class_missing_from_the_test_set_is_no_error() -> None:
    test = clouds(60, seed=1)
    assert test.labels is not None
    kept = test.labels != 3
    some = Representations(test.h[kept], test.labels[kept], test.ids, test.class_names, "")
    assert "class/class 3" not in linear_probe(EvaluationInputs(clouds(120), some)).metrics


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_knn_equals_the_loops(inputs: EvaluationInputs, temperature: float) -> None:
    found = knn(inputs, ks=(7, 1), temperature=temperature)
    train_labels, test_labels = inputs.labels
    for k in (7, 1):
        right = 0
        for query, label in zip(inputs.test.h, test_labels, strict=True):
            similarity = torch.stack([torch.cosine_similarity(query, row, dim=0) for row in inputs.train.h])
            nearest = similarity.argsort(descending=True)[:k]
            votes = torch.zeros(NUM_CLASSES)
            for i in nearest:
                votes[train_labels[i]] += torch.exp(similarity[i] / temperature)
            right += int(votes.argmax() == label)
        assert found.metrics[f"k{k}"] == pytest.approx(right / 180, abs=1e-9)


def test_knn_says_when_k_exceeds_the_training_set(inputs: EvaluationInputs) -> None:
    result = knn(inputs, ks=(1000,))
    assert result.notes == ("k = 1000 was shortened to the 300 training samples.",)


def test_misclassification_equals_scikit_learn(inputs: EvaluationInputs) -> None:
    result = misclassification(inputs, num_bootstraps=50)
    correct = inputs.probe.correct
    chosen = reference.discriminative(inputs.mined.counts.tolist(), 0.5, 0.95)
    q = np.array([reference.ratio(row, chosen, 1.5) for row in inputs.test.h.double().tolist()])
    np.testing.assert_allclose(result.arrays["q"], q, rtol=1e-5, atol=1e-7)
    assert 0 < correct.mean() < 1
    q = result.arrays["q"]
    assert result.metrics["auroc"] == pytest.approx(roc_auc_score(correct, q), abs=1e-6)
    assert result.metrics["auprc_correct"] == pytest.approx(average_precision_score(correct, q), abs=1e-6)
    assert result.metrics["auprc_misclassified"] == pytest.approx(average_precision_score(~correct, -q), abs=1e-6)
    assert result.metrics["base_rate_correct"] == pytest.approx(correct.mean())
    assert result.metrics["base_rate_misclassified"] == pytest.approx(1 - correct.mean())
    for name in ("auroc", "auprc_correct", "auprc_misclassified", "aurc"):
        low, value, high = (result.metrics[f"{name}{end}"] for end in ("_low", "", "_high"))
        assert low is not None
        assert value is not None
        assert high is not None
        assert low < value < high
    assert result.arrays["histogram_correct"].sum() == correct.sum()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("ties", [False, True])
def test_ranking_of_unbounded_scores_equals_scikit_learn(scale: float, ties: bool) -> None:
    generator = np.random.default_rng(0)
    correct = generator.random(400) < 0.8
    scores = (generator.normal(size=400) + correct) * scale
    if ties:
        scores = np.round(scores / scale) * scale
    found = ranking_metrics(scores, correct)
    assert found["auroc"] == pytest.approx(roc_auc_score(correct, scores), abs=1e-6)
    assert found["auprc_correct"] == pytest.approx(average_precision_score(correct, scores), abs=1e-6)
    assert found["auprc_misclassified"] == pytest.approx(average_precision_score(~correct, -scores), abs=1e-6)


def test_aurc_is_the_mean_error_rate_over_coverages() -> None:
    scores, correct = np.array([5.0, 4.0, 3.0, 2.0]), np.array([True, False, True, False])
    assert risk_at_coverage(scores, correct).tolist() == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])
    assert aurc(scores, correct) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_aurc_of_ties_is_the_mean_over_their_orders() -> None:
    correct = np.random.default_rng(0).random(60) < 0.7
    scores = np.repeat(np.arange(6.0), 10)
    generator = np.random.default_rng(1)
    shuffled = [aurc(scores + 1e-6 * generator.random(60), correct) for _ in range(4000)]
    assert aurc(scores, correct) == pytest.approx(np.mean(shuffled), abs=0.003)
    assert aurc(np.zeros(60), correct) == pytest.approx(1 - correct.mean())


@pytest.mark.parametrize("noise", [0.0])
def test_a_perfect_probe_leaves_nothing_to_rank(noise: float) -> None:
    easy = EvaluationInputs(clouds(120, noise=noise), clouds(60, noise=noise, seed=0), epsilon=1.5)
    result = misclassification(easy)
    assert result.metrics["auroc"] is None
    assert "every held-out sample right" in result.notes[0]


def test_sparsity_of_known_vectors() -> None:
    h = torch.tensor([[0.0, 3.0, 0.0, 4.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    found = sparsity(EvaluationInputs(_unlabelled(h), _unlabelled(h)))
    assert found.metrics["hoyer"] == pytest.approx(((2 - 7 / 5) / 1 + 0 + 0) / 3)
    assert found.metrics["share_near_zero"] == pytest.approx((0.5 + 0 + 1) / 3)
    assert found.metrics["l1_over_l2"] == pytest.approx((7 / 5 + 2 + 0) / 3)
    assert found.arrays["l1_over_l2"].tolist() == pytest.approx([7 / 5, 2, 0])


def test_dominance_counts_are_those_of_the_training_set(inputs: EvaluationInputs) -> None:
    result = dominance(inputs, num_rows=12)
    counts = [0] * 40
    for row in inputs.train.h.tolist():
        for j in reference.dominant(row, 1.5):
            counts[j] += 1
    assert result.arrays["counts"].tolist() == counts
    chosen = reference.discriminative(counts, 0.5, 0.95)
    assert set(np.flatnonzero(result.arrays["discriminative"])) == chosen
    assert result.metrics["num_never_dominant"] == counts.count(0)
    assert result.arrays["rows"].shape == (12, 40)
    assert (np.diff(result.arrays["row_labels"]) >= 0).all()
    q = q_score(inputs.test.h, inputs.discriminative, 1.5)
    assert torch.equal(inputs.test_q, q)


def test_unlabelled_data_and_single_classes_are_refused_where_labels_are_needed() -> None:
    h = clouds(60).h
    unlabelled = EvaluationInputs(_unlabelled(h), _unlabelled(h))
    for evaluation in (linear_probe, knn, misclassification):
        with pytest.raises(UserError, match="without labels"):
            evaluation(unlabelled)
    sparsity(unlabelled)
    assert dominance(unlabelled).arrays["row_labels"].size == 0
    one = Representations(h, torch.zeros(60, dtype=torch.long), (), ("only",), "")
    with pytest.raises(UserError, match="at least 2 classes"):
        linear_probe(EvaluationInputs(one, one))


def test_representations_of_two_encoders_are_refused() -> None:
    with pytest.raises(UserError, match="40 and 41 features"):
        EvaluationInputs(clouds(60), clouds(60, num_features=41))


def _unlabelled(h: Tensor) -> Representations:
    return Representations(h, None, tuple(map(str, range(len(h)))), (), "")
