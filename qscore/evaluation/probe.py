"""Multinomial logistic regression on cached representations."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

REGULARIZATION_PATH = tuple(float(c) for c in np.logspace(-4, 1, 9))  # scikit-learn's C, strongest penalty first
VALIDATION_SHARE = 0.2
MAX_ITERATIONS = 1000
SMALL = 20_000_000  # numbers; below it the threads of BLAS wait for one another most of the time


@dataclass(frozen=True)
class Probe:
    """A fitted linear probe and what it says of the held-out samples.

    Attributes:
        model: Standardisation by the training statistics, then the linear layer.
        regularization: scikit-learn's C (inverse strength), chosen on held-back training samples.
        validation_accuracy: Top-1 accuracy on those samples at that strength.
        probabilities: (sample, class) of the held-out samples, one column for every class in training.
        predictions: Most probable class of each held-out sample.
        correct: Whether it is the label.
    """

    model: Pipeline
    regularization: float
    validation_accuracy: float
    probabilities: np.ndarray
    predictions: np.ndarray
    correct: np.ndarray


def fit_probe(
    train_h: np.ndarray, train_labels: np.ndarray, test_h: np.ndarray, test_labels: np.ndarray, *, seed: int = 0
) -> Probe:
    """Returns the linear probe of a representation.

    Features are standardised; the strength of the L2 penalty is chosen on a fifth of the training samples, never
    on the test set, and the probe is fitted again on all of them. Strength moves the accuracy by several points,
    the optimizer by nothing, so L-BFGS runs to the optimum instead of SGD for a fixed number of epochs.

    Args:
        train_h: (sample, feature).
        train_labels: (sample,), at least two classes.
        test_h: (sample, feature).
        test_labels: (sample,).
        seed: Of the validation split.
    """
    inner, held = _validation_split(train_labels, seed)
    inner_h, held_h, inner_labels, held_labels = train_h[inner], train_h[held], train_labels[inner], train_labels[held]
    accuracies = []
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MAX_ITERATIONS, warm_start=True))
    for c in REGULARIZATION_PATH:
        accuracies.append(_fit(probe, inner_h, inner_labels, c).score(held_h, held_labels))
    best = int(np.argmax(accuracies))  # the strongest penalty of equals
    model = fit_linear(train_h, train_labels, REGULARIZATION_PATH[best])
    probabilities = model.predict_proba(test_h)
    predictions = model.classes_[probabilities.argmax(1)]
    return Probe(
        model=model,
        regularization=REGULARIZATION_PATH[best],
        validation_accuracy=float(accuracies[best]),
        probabilities=probabilities,
        predictions=predictions,
        correct=predictions == test_labels,
    )


def fit_linear(h: np.ndarray, labels: np.ndarray, regularization: float) -> Pipeline:
    """Returns standardisation and a linear layer fitted at a strength that is known already.

    Args:
        h: (sample, feature).
        labels: (sample,), at least two classes.
        regularization: scikit-learn's C.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MAX_ITERATIONS))
    return _fit(model, h, labels, regularization)


def _validation_split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions to fit and to choose on; every class is among the former, in its share among both where it can be."""
    positions, (_, first, counts) = np.arange(len(labels)), np.unique(labels, return_index=True, return_counts=True)
    if counts.min() >= 2 and VALIDATION_SHARE * len(labels) >= len(counts):
        inner, held = train_test_split(positions, test_size=VALIDATION_SHARE, random_state=seed, stratify=labels)
        return inner, held
    rest = np.random.default_rng(seed).permutation(np.setdiff1d(positions, first))
    num_held = min(len(rest), max(1, round(VALIDATION_SHARE * len(labels))))
    return np.concatenate([first, rest[num_held:]]), rest[:num_held] if num_held else positions


def _fit(model: Pipeline, h: np.ndarray, labels: np.ndarray, regularization: float) -> Pipeline:
    model.set_params(logisticregression__C=regularization)
    with warnings.catch_warnings(), threadpool_limits(1 if h.size < SMALL else None):
        # The weakest penalties of the path may stop early; they are compared by accuracy, not by objective.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(h.astype(np.float64), labels)
