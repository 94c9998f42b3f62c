"""Does a score, computed without labels, tell which held-out samples the probe gets wrong?"""

import numpy as np
import torch
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve
from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision
from tqdm import trange

from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result

NAME = "misclassification"
NUM_BINS = 40


def misclassification(inputs: EvaluationInputs, *, num_bootstraps: int = 1000, confidence: float = 0.95) -> Result:
    """Returns how well Q ranks the samples that the linear probe gets right above those it gets wrong.

    AUROC; average precision (AUPRC) with each class positive in turn, beside its base rate, which is what a random
    score gets; AURC, the mean over all coverages of the error rate among the samples kept, highest Q first (Geifman
    et al., 2018, arXiv 1805.08206). D is mined on training images, Q is scored on held-out ones, and intervals are
    percentiles over resampled test sets.

    Args:
        inputs: The cached representations.
        num_bootstraps: Number of resampled test sets.
        confidence: Coverage of the intervals.

    Raises:
        UserError: If the data has no labels, or one class only.
    """
    correct, scores = inputs.probe.correct, inputs.test_q.numpy().astype(np.float64)
    accuracy = float(correct.mean())
    metrics: dict[str, float | None] = {
        "num_misclassified": float((~correct).sum()),
        "base_rate_correct": accuracy,
        "base_rate_misclassified": 1 - accuracy,
        "share_empty": inputs.test_empty_share,
        "mean_q_correct": float(scores[correct].mean()) if correct.any() else None,
        "mean_q_misclassified": float(scores[~correct].mean()) if (~correct).any() else None,
    }
    arrays = {"q": scores, "correct": correct, **_histograms(scores, correct)}
    notes: tuple[str, ...] = ()
    if 0 < accuracy < 1:
        metrics |= ranking_metrics(scores, correct)
        metrics |= bootstrap_intervals(scores, correct, num=num_bootstraps, confidence=confidence, seed=inputs.seed)
        arrays |= _curves(scores, correct)
    else:
        metrics |= dict.fromkeys(RANKING_METRICS)
        notes = (f"The probe gets {'every' if accuracy == 1 else 'no'} held-out sample right: nothing to rank.",)
    settings = {**inputs.settings(), "score": "q_score", "bootstraps": num_bootstraps, "confidence": confidence}
    return Result(NAME, metrics, settings, arrays, notes)


RANKING_METRICS = ("auroc", "auprc_correct", "auprc_misclassified", "aurc")


def ranking_metrics(scores: np.ndarray, correct: np.ndarray) -> dict[str, float]:
    """Returns AUROC, AUPRC of both classes, and AURC of a score that should be high where the probe is right.

    torchmetrics squeezes scores outside [0, 1] through a sigmoid, batch by batch, unless `normalization=None`.

    >>> found = ranking_metrics(np.array([30.0, 20.0, 10.0, 5.0]), np.array([True, True, False, True]))
    >>> round(found["auroc"], 4), round(found["aurc"], 4)
    (0.6667, 0.1458)
    """
    score, right = torch.from_numpy(scores.copy()), torch.from_numpy(correct.astype(np.int64))
    return {
        "auroc": float(BinaryAUROC(normalization=None)(score, right)),
        "auprc_correct": float(BinaryAveragePrecision(normalization=None)(score, right)),
        "auprc_misclassified": float(BinaryAveragePrecision(normalization=None)(-score, 1 - right)),
        "aurc": aurc(scores, correct),
    }


def aurc(scores: np.ndarray, correct: np.ndarray) -> float:
    """Returns the area under the risk-coverage curve, lower is better; equal scores share their mean risk.

    Ties are broken by nothing: within a group of equal scores every order is equally likely, so each position of
    the group carries the group's own error rate.
    """
    return float(risk_at_coverage(scores, correct).mean())


def risk_at_coverage(scores: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Returns the error rate among the n samples of highest score, for n = 1 to all, (sample,)."""
    _, group = np.unique(-scores, return_inverse=True)
    errors_per_group = np.bincount(group, weights=~correct)
    expected = (errors_per_group / np.bincount(group))[np.sort(group)]
    return np.asarray(np.cumsum(expected) / np.arange(1, len(scores) + 1))


def bootstrap_intervals(
    scores: np.ndarray, correct: np.ndarray, *, num: int, confidence: float, seed: int
) -> dict[str, float]:
    """Returns `{metric}_low` and `{metric}_high`: percentiles over test sets drawn with replacement.

    A drawn set without a single error, or without a correct sample, ranks nothing and is drawn again.
    """
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in trange(num, desc="Bootstrap", leave=False):
        sample = generator.integers(len(scores), size=len(scores))
        while correct[sample].all() or not correct[sample].any():
            sample = generator.integers(len(scores), size=len(scores))
        s, c = scores[sample], correct[sample]
        drawn.append(
            (
                roc_auc_score(c, s),
                average_precision_score(c, s),
                average_precision_score(~c, -s),
                aurc(s, c),
            )
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.array(drawn), [tail, 1 - tail], axis=0)
    return {
        **{f"{name}_low": float(value) for name, value in zip(RANKING_METRICS, low, strict=True)},
        **{f"{name}_high": float(value) for name, value in zip(RANKING_METRICS, high, strict=True)},
    }


def _curves(scores: np.ndarray, correct: np.ndarray) -> dict[str, np.ndarray]:
    false_positive, true_positive, _ = roc_curve(correct, scores)
    precision, recall, _ = precision_recall_curve(correct, scores)
    precision_wrong, recall_wrong, _ = precision_recall_curve(~correct, -scores)
    return {
        "roc_false_positive": false_positive,
        "roc_true_positive": true_positive,
        "precision_correct": precision,
        "recall_correct": recall,
        "precision_misclassified": precision_wrong,
        "recall_misclassified": recall_wrong,
        "risk": risk_at_coverage(scores, correct),
    }


def _histograms(scores: np.ndarray, correct: np.ndarray) -> dict[str, np.ndarray]:
    edges = np.histogram_bin_edges(scores, bins=NUM_BINS)
    return {
        "histogram_edges": edges,
        "histogram_correct": np.histogram(scores[correct], edges)[0],
        "histogram_misclassified": np.histogram(scores[~correct], edges)[0],
    }
