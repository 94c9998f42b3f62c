"""Both solvers against scikit-learn's optimum."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.linear import LinearClassifier
from qscore.evaluation.linear_probe import linear_probe
from qscore.evaluation.probe import fit_linear, fit_probe
from qscore.records import Representations


def samples(num: int, num_classes: int, seed: int, num_features: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clouds of very different scale and offset, in the order of their classes, one feature constant."""
    labels = np.sort(np.random.default_rng(seed).integers(0, num_classes, num))
    centres = np.random.default_rng(99).normal(size=(num_classes, num_features))
    h = centres[labels] + 2 * np.random.default_rng([seed, 1]).normal(size=(num, num_features))
    h = h * np.logspace(-3, 3, num_features) + np.logspace(3, -3, num_features)
    h[:, 0] = 0.1
    return h.astype(np.float32), labels + 10


def objective(model: LinearClassifier, h: np.ndarray, labels: np.ndarray, c: float) -> float:
    logits = model.logits(h)
    logits = np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits
    loss = -log_softmax(logits, axis=1)[np.arange(len(labels)), np.searchsorted(model.classes, labels)].mean()
    return float(loss + (model.coefficients**2).sum() / (2 * c * len(labels)))


def scikit_learns(h: np.ndarray, labels: np.ndarray, c: float) -> LinearClassifier:
    scaler = StandardScaler().fit(h.astype(np.float64))
    found = LogisticRegression(C=c, max_iter=10_000, tol=1e-10).fit(scaler.transform(h.astype(np.float64)), labels)
    return LinearClassifier(scaler.mean_, scaler.scale_, found.coef_, found.intercept_, found.classes_)


@pytest.mark.parametrize("num_classes", [2, 3, 7])
@pytest.mark.parametrize("c", [1e-4, 0.1, 10.0])
def test_the_optimum_is_scikit_learns(num_classes: int, c: float) -> None:
    h, labels = samples(2500, num_classes, 0)
    found, expected = fit_linear(h, labels, c), scikit_learns(h, labels, c)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=1e-9)
    assert found.scale[0] == 1
    np.testing.assert_allclose(found.coefficients, expected.coefficients, atol=1e-3 * abs(expected.coefficients).max())
    assert objective(found, h, labels, c) == pytest.approx(objective(expected, h, labels, c), rel=1e-7)
    assert (found.classes == expected.classes).all()
    assert (found.predict(h) == expected.predict(h)).mean() > 0.999


@pytest.mark.parametrize("num_classes", [2, 7])
def test_beyond_the_budget_sgd_reads_the_file_and_comes_close(num_classes: int, tmp_path: Path) -> None:
    h, labels = samples(12_000, num_classes, 0)
    test_h, test_labels = samples(4000, num_classes, 1)
    np.save(tmp_path / "h.npy", h)
    mapped = np.load(tmp_path / "h.npy", mmap_mode="r+")
    optimum = fit_probe(h, labels, test_h, test_labels)
    found = fit_probe(mapped, labels, test_h, test_labels, budget_bytes=h.nbytes - 1)
    assert (optimum.solver, found.solver) == ("lbfgs", "sgd")
    assert found.correct.mean() == pytest.approx(optimum.correct.mean(), abs=0.01)
    assert found.validation_accuracy == pytest.approx(optimum.validation_accuracy, abs=0.01)
    again = fit_probe(h, labels, test_h, test_labels, budget_bytes=0)
    np.testing.assert_array_equal(again.probabilities, found.probabilities)
    c = found.regularization
    best = objective(scikit_learns(h, labels, c), h, labels, c)
    assert objective(found.model, h, labels, c) == pytest.approx(best, rel=0.02)


def test_the_result_says_which_solver() -> None:
    (h, labels), names = samples(300, 3, 0), ("a", "b", "c")
    rows = Representations(torch.from_numpy(h), torch.from_numpy(labels - 10), (), names, "")
    assert linear_probe(EvaluationInputs(rows, rows)).settings["solver"] == "lbfgs"
    assert linear_probe(EvaluationInputs(rows, rows, probe_bytes=0)).settings["solver"] == "sgd"


def test_fitting_leaves_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    fit_linear(*samples(50, 3, 0), 1.0)
    assert torch.get_num_threads() == before
