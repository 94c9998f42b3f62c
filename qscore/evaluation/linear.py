"""A linear classifier on standardised features."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit, softmax
from torch import Tensor

ROWS = 8192


@dataclass(frozen=True)
class LinearClassifier:
    """Standardisation by the statistics of the training features, then a linear layer.

    Attributes:
        mean: Of each feature in training.
        scale: Its standard deviation; 1 for a feature that is constant in training.
        coefficients: (output, feature), for standardised features; one output, that of the second, for two classes.
        intercepts: (output,).
        classes: Label of each column of the probabilities, ascending.
    """

    mean: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray
    classes: np.ndarray

    def logits(self, h: np.ndarray) -> np.ndarray:
        """Returns the outputs, (sample, output), float64."""
        found = np.empty((len(h), len(self.intercepts)))
        for start in range(0, len(h), ROWS):
            standardised = (h[start : start + ROWS].astype(np.float64) - self.mean) / self.scale
            found[start : start + ROWS] = standardised @ self.coefficients.T + self.intercepts
        return found

    def probabilities(self, h: np.ndarray) -> np.ndarray:
        """Returns the probability of each class, (sample, class)."""
        logits = self.logits(h)
        return np.asarray(softmax(logits, axis=1) if logits.shape[1] > 1 else expit(np.hstack([-logits, logits])))

    def predict(self, h: np.ndarray) -> np.ndarray:
        """Returns the most probable class of each sample."""
        logits = self.logits(h)
        index = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)
        return np.asarray(self.classes[index])


@dataclass(frozen=True)
class Standardisation:
    """Mean and standard deviation of each feature over some rows of `h`, float64.

    Attributes:
        mean: (feature,).
        scale: Of a constant feature 1, or what it was said to be.
    """

    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, h: Tensor, rows: Tensor, *, constant: float = 1.0) -> "Standardisation":
        """Reads the rows twice, a part at a time; a feature is constant by the rule of scikit-learn's scaler.

        Args:
            h: (sample, feature).
            rows: Positions in it.
            constant: Scale of a constant feature.
        """
        num = len(rows)
        mean = torch.stack([part.sum(0) for part in _parts(h, rows)]).sum(0) / num
        variance = torch.stack([(part - mean).square().sum(0) for part in _parts(h, rows)]).sum(0) / num
        eps = torch.finfo(torch.float64).eps
        is_constant = variance <= num * eps * variance + (num * mean * eps).square()
        return cls(mean, torch.where(is_constant, constant, variance.sqrt()))

    def of_rows(self, h: Tensor, rows: Tensor) -> Tensor:
        """Returns some rows standardised, float32."""
        found = torch.empty(len(rows), h.shape[1])
        for start, part in zip(range(0, len(rows), ROWS), _parts(h, rows), strict=True):
            found[start : start + ROWS] = (part - self.mean) / self.scale
        return found


def _parts(h: Tensor, rows: Tensor) -> Iterator[Tensor]:
    return (h[part].double() for part in torch.split(rows, ROWS))
