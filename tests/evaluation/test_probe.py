"""The linear probe at its edges."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from qscore.evaluation.probe import fit_probe
from qscore.evaluation.scores import probe_logits
from qscore.score.rivals import energy


@pytest.mark.parametrize("seed", range(8))
def test_a_class_of_one_image_is_always_fitted(seed: int) -> None:
    h = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    labels = np.array([0] * 11 + [1])
    assert fit_probe(h, labels, h, labels, seed=seed).probabilities.shape == (12, 2)


def test_three_images_of_two_classes_are_enough() -> None:
    h = np.eye(3, dtype=np.float32)
    assert fit_probe(h, np.array([0, 0, 1]), h, np.array([0, 0, 1])).probabilities.shape == (3, 2)


def test_the_energy_of_two_classes_does_not_depend_on_their_order() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 600)
    h = (generator.normal(size=(600, 4)) + 0.7 * labels[:, None]).astype(np.float32)
    probe = fit_probe(h[:300], labels[:300], h[300:], labels[300:])
    score = -energy(probe_logits(probe, torch.from_numpy(h[300:]))).numpy()
    largest = probe.probabilities.max(1)
    assert roc_auc_score(probe.correct, score) == pytest.approx(roc_auc_score(probe.correct, largest))
