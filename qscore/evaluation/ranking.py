"""How well a score ranks samples that a classifier gets right above those it gets wrong.

In every function a high score should mean right; `correct` says what happened.
"""

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision, BinarySpecificityAtSensitivity
from tqdm import trange

RANKING_METRICS = ("auroc", "auprc_correct", "auprc_misclassified", "aurc", "e_aurc", "augrc", "fpr_at_95_tpr")
INTERVALS = RANKING_METRICS[:4]
CHUNK = 100


def ranking_metrics(scores: np.ndarray, correct: np.ndarray) -> dict[str, float]:
    """Returns AUROC, AUPRC of both classes, AURC, E-AURC, AUGRC, and the false-positive rate at 95 % true positives.

    torchmetrics squeezes scores outside [0, 1] through a sigmoid, batch by batch, unless `normalization=None`.

    Args:
        scores: (sample,).
        correct: (sample,), both values present.

    >>> found = ranking_metrics(np.array([30.0, 20.0, 10.0, 5.0]), np.array([True, True, False, True]))
    >>> round(found["auroc"], 4), round(found["aurc"], 4), round(found["fpr_at_95_tpr"], 4)
    (0.6667, 0.1458, 1.0)
    """
    score, right = torch.from_numpy(scores.copy()), torch.from_numpy(correct.astype(np.int64))
    return {
        "auroc": float(BinaryAUROC(normalization=None)(score, right)),
        "auprc_correct": float(BinaryAveragePrecision(normalization=None)(score, right)),
        "auprc_misclassified": float(BinaryAveragePrecision(normalization=None)(-score, 1 - right)),
        "aurc": aurc(scores, correct),
        "e_aurc": e_aurc(scores, correct),
        "augrc": augrc(scores, correct),
        "fpr_at_95_tpr": fpr_at_95_tpr(scores, correct),
    }


def fpr_at_95_tpr(scores: np.ndarray, correct: np.ndarray) -> float:
    """Returns the share of the wrong samples above the highest threshold that keeps 95 % of the right ones."""
    score, right = torch.from_numpy(scores.copy()), torch.from_numpy(correct.astype(np.int64))
    specificity, _ = BinarySpecificityAtSensitivity(0.95, normalization=None)(score, right)
    return 1 - float(specificity)


def aurc(scores: np.ndarray, correct: np.ndarray) -> float:
    """Returns the area under the risk-coverage curve, lower is better; equal scores share their mean risk.

    The mean over n of the error rate among the n samples of highest score (Geifman et al., 2018, arXiv 1805.08206).
    Ties are broken by nothing: within a group of equal scores every order is equally likely, so each position of
    the group carries the group's own error rate.
    """
    return float(risk_at_coverage(scores, correct).mean())


def e_aurc(scores: np.ndarray, correct: np.ndarray) -> float:
    """Returns `aurc` minus that of a perfect ranking of the same samples (Geifman et al., 2018, arXiv 1805.08206)."""
    return aurc(scores, correct) - aurc(correct.astype(float), correct)


def augrc(scores: np.ndarray, correct: np.ndarray) -> float:
    """Returns the mean over n of the errors among the n samples of highest score, as a share of ALL samples.

    The average risk of an undetected failure (Traub et al., NeurIPS 2024, arXiv 2407.01032); unlike `aurc` it does not
    weigh the few highest scores most.
    """
    kept = np.arange(1, len(scores) + 1) / len(scores)
    return float((risk_at_coverage(scores, correct) * kept).mean())


def risk_at_coverage(scores: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Returns the error rate among the n samples of highest score, for n = 1 to all, (sample,)."""
    _, group = np.unique(-scores, return_inverse=True)
    errors_per_group = np.bincount(group, weights=~correct)
    expected = (errors_per_group / np.bincount(group))[np.sort(group)]
    return np.asarray(np.cumsum(expected) / np.arange(1, len(scores) + 1))


def auroc_within(scores: np.ndarray, correct: np.ndarray, groups: np.ndarray) -> float | None:
    """Returns the AUROC over pairs of a right and a wrong sample of the same group, or None where there is no pair.

    With the predicted class as the group it tells whether a score finds the errors among the samples that were taken
    for one class, or only knows which classes are hard.

    >>> auroc_within(np.array([2.0, 1.0, 9.0, 8.0]), np.array([True, False, False, True]), np.array([0, 0, 1, 1]))
    0.5
    """
    won, num_pairs = 0.0, 0
    for group in np.unique(groups):
        of_group = groups == group
        pairs = int(correct[of_group].sum()) * int((~correct[of_group]).sum())
        if pairs:
            won += pairs * float(weighted_auroc(scores[of_group], correct[of_group], np.ones((1, of_group.sum())))[0])
            num_pairs += pairs
    return won / num_pairs if num_pairs else None


def weighted_auroc(scores: np.ndarray, correct: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the AUROC of a score for each weighting of the samples, (weighting,); equal scores count one half.

    Args:
        scores: (sample,).
        correct: (sample,).
        weights: (weighting, sample), for a bootstrap how often each sample was drawn. Where all the weight is on right
            samples, or on wrong ones, the AUROC is NaN.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(scores[order]) > 0]))
    right = np.add.reduceat(weights[:, order] * correct[order], starts, axis=1)
    wrong = np.add.reduceat(weights[:, order] * ~correct[order], starts, axis=1)
    below = np.cumsum(wrong, axis=1) - wrong
    with np.errstate(invalid="ignore"):
        won = (right * (below + wrong / 2)).sum(1) / (right.sum(1) * wrong.sum(1))
    return np.asarray(won)


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
        **{f"{name}_low": float(value) for name, value in zip(INTERVALS, low, strict=True)},
        **{f"{name}_high": float(value) for name, value in zip(INTERVALS, high, strict=True)},
    }


def bootstrap_aurocs(
    scores: dict[str, np.ndarray], correct: np.ndarray, *, num: int, seed: int
) -> dict[str, np.ndarray]:
    """Returns the AUROC of each score on the same test sets drawn with replacement, (bootstrap,).

    The differences between two scores are therefore paired. A drawn set that ranks nothing gives NaN.
    """
    generator = np.random.default_rng(seed)
    found: dict[str, list[np.ndarray]] = {name: [] for name in scores}
    probability = np.full(len(correct), 1 / len(correct))
    for start in range(0, num, CHUNK):
        drawn = generator.multinomial(len(correct), probability, size=min(CHUNK, num - start))
        for name, score in scores.items():
            found[name].append(weighted_auroc(score, correct, drawn))
    return {name: np.concatenate(parts) for name, parts in found.items()}
