"""The linear probe: multinomial logistic regression on cached representations."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from qscore.evaluation.linear import LinearClassifier, Standardisation
from qscore.evaluation.logistic import CLOSE, OPTIMUM, by_lbfgs, by_sgd

REGULARIZATION_PATH = tuple(float(c) for c in np.logspace(-4, 1, 9))  # scikit-learn's C, strongest penalty first
VALIDATION_SHARE = 0.2
BUDGET_BYTES = 4 * 2**30  # of training representations in float32: 2 million of 512 features
SMALL = 20_000_000  # numbers; below it the threads of BLAS wait for one another most of the time
LBFGS, SGD = "lbfgs", "sgd"


@dataclass(frozen=True)
class Probe:
    """A fitted linear probe and what it says of the held-out samples.

    Attributes:
        model: Standardisation by the training statistics, then the linear layer.
        solver: "lbfgs", to the optimum, or "sgd" for more training samples than the budget.
        regularization: scikit-learn's C (inverse strength), chosen on held-back training samples.
        validation_accuracy: Top-1 accuracy on those samples at that strength.
        probabilities: (sample, class) of the held-out samples, one column for every class in training.
        predictions: Most probable class of each held-out sample.
        correct: Whether it is the label.
    """

    model: LinearClassifier
    solver: str
    regularization: float
    validation_accuracy: float
    probabilities: np.ndarray
    predictions: np.ndarray
    correct: np.ndarray


def fit_probe(
    train_h: np.ndarray,
    train_labels: np.ndarray,
    test_h: np.ndarray,
    test_labels: np.ndarray,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    budget_bytes: int = BUDGET_BYTES,
) -> Probe:
    """Returns the linear probe of a representation.

    Features are standardised; the strength of the L2 penalty is chosen on a fifth of the training samples, never
    on the test set, and the probe is fitted again on all of them. Strength moves the accuracy by several points,
    the optimizer by nothing, so L-BFGS runs to the optimum, along a path from the strongest penalty to the weakest.
    Where the training samples exceed the budget, mini-batch SGD reads them from where they are instead.

    Args:
        train_h: (sample, feature); may be mapped from a file.
        train_labels: (sample,), at least two classes.
        test_h: (sample, feature).
        test_labels: (sample,).
        seed: Of the validation split, and of the order of SGD.
        device: Where to compute.
        budget_bytes: Of the training samples in float32, the most that is copied into memory (that of the device).
    """
    inner, held = _validation_split(train_labels, seed)
    h, (classes, targets) = torch.from_numpy(train_h), np.unique(train_labels, return_inverse=True)
    fitted = _Data(h, torch.from_numpy(targets), classes, device, budget_bytes, seed)
    with _few_threads(h):
        path = fitted.models(np.sort(inner), REGULARIZATION_PATH)
        accuracies = [float((model.predict(train_h[held]) == train_labels[held]).mean()) for model in path]
        best = int(np.argmax(accuracies))  # the strongest penalty of equals
        (model,) = fitted.models(np.arange(len(h)), REGULARIZATION_PATH[best : best + 1])
        probabilities = model.probabilities(test_h)
    predictions = model.classes[probabilities.argmax(1)]
    return Probe(
        model=model,
        solver=fitted.solver,
        regularization=REGULARIZATION_PATH[best],
        validation_accuracy=accuracies[best],
        probabilities=probabilities,
        predictions=predictions,
        correct=predictions == test_labels,
    )


def fit_linear(
    h: np.ndarray, labels: np.ndarray, regularization: float, *, device: torch.device | str = "cpu"
) -> LinearClassifier:
    """Returns standardisation and a linear layer fitted at a strength that is known already.

    Args:
        h: (sample, feature).
        labels: (sample,), at least two classes.
        regularization: scikit-learn's C.
        device: Where to compute.
    """
    classes, targets = np.unique(labels, return_inverse=True)
    data = _Data(torch.from_numpy(np.ascontiguousarray(h)), torch.from_numpy(targets), classes, device)
    with _few_threads(data.h):
        return data.models(np.arange(len(h)), (regularization,))[0]


@dataclass(frozen=True)
class _Data:
    """What is fitted, and how."""

    h: Tensor
    targets: Tensor
    classes: np.ndarray
    device: torch.device | str
    budget_bytes: int = BUDGET_BYTES
    seed: int = 0

    @property
    def solver(self) -> str:
        return LBFGS if 4 * self.h.numel() <= self.budget_bytes else SGD

    def models(self, positions: np.ndarray, strengths: tuple[float, ...]) -> list[LinearClassifier]:
        """A classifier for each strength, fitted on some samples; every class is among them."""
        rows = torch.from_numpy(positions)
        scaling = Standardisation.of(self.h, rows)
        if self.solver == SGD:
            found = list(by_sgd(self.h, self.targets, rows, scaling, strengths, seed=self.seed, device=self.device))
        else:
            found = self._path(scaling.of_rows(self.h, rows).to(self.device), rows, strengths)
        mean, scale = scaling.mean.numpy(), scaling.scale.numpy()
        return [LinearClassifier(mean, scale, w[:, :-1], w[:, -1], self.classes) for w in found]

    def _path(self, x: Tensor, rows: Tensor, strengths: tuple[float, ...]) -> list[np.ndarray]:
        targets, found, start = self.targets[rows].to(self.device), [], None
        tolerance = OPTIMUM if len(strengths) == 1 else CLOSE  # those of a path are compared by accuracy alone
        for c in strengths:
            start = by_lbfgs(x, targets, len(self.classes), c, start=start, gradient_tolerance=tolerance)
            found.append(start)
        return found


@contextmanager
def _few_threads(h: Tensor) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if h.numel() < SMALL else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _validation_split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions to fit and to choose on; every class is among the former, in its share among both where it can be."""
    positions, (_, first, counts) = np.arange(len(labels)), np.unique(labels, return_index=True, return_counts=True)
    if counts.min() >= 2 and VALIDATION_SHARE * len(labels) >= len(counts):
        inner, held = train_test_split(positions, test_size=VALIDATION_SHARE, random_state=seed, stratify=labels)
        return inner, held
    rest = np.random.default_rng(seed).permutation(np.setdiff1d(positions, first))
    num_held = min(len(rest), max(1, round(VALIDATION_SHARE * len(labels))))
    return np.concatenate([first, rest[num_held:]]), rest[:num_held] if num_held else positions
