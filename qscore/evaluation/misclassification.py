"""Does a score, computed without labels, tell which held-out samples the probe gets wrong?"""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.ranking import (
    RANKING_METRICS,
    auroc_within,
    bootstrap_aurocs,
    bootstrap_intervals,
    ranking_metrics,
    risk_at_coverage,
)
from qscore.evaluation.scores import ceilings, label_free_scores, q_scores
from qscore.results import Result

NAME = "misclassification"
NUM_BINS = 40


def misclassification(
    inputs: EvaluationInputs,
    *,
    num_bootstraps: int = 1000,
    confidence: float = 0.95,
    rivals: bool = True,
    num_prototypes: Sequence[int] = (10, 50),
    num_views: int = 4,
) -> Result:
    """Returns how well Q, its rivals and the ceilings rank samples that the probe gets right above those it gets wrong.

    AUROC; average precision (AUPRC) with each class positive in turn, beside its base rate, which is what a random
    score gets; AURC, E-AURC, AUGRC, FPR at 95 % TPR (see `ranking`). D is mined on training images, every score is
    taken on held-out ones, and intervals are percentiles over resampled test sets, the same for all scores:
    `{score}/minus_q` is the paired difference of two AUROCs. `{score}/auroc_within` compares only samples of the same
    predicted class.

    Args:
        inputs: The cached representations.
        num_bootstraps: Number of resampled test sets.
        confidence: Coverage of the intervals.
        rivals: Whether to rank by the rivals and the ceilings too.
        num_prototypes: See `label_free_scores`.
        num_views: Likewise.

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
        found = q_scores(inputs)
        if rivals:
            free = label_free_scores(inputs, num_prototypes=num_prototypes, num_views=num_views)
            found |= {**free, **ceilings(inputs)}
        all_scores = {name: values.numpy().astype(np.float64) for name, values in found.items()}
        metrics |= _side_by_side(inputs, all_scores, num_bootstraps, confidence)
        arrays |= {"scores": np.stack(list(all_scores.values())), "score_names": np.array(list(all_scores))}
    else:
        metrics |= dict.fromkeys(RANKING_METRICS)
        notes = (f"The probe gets {'every' if accuracy == 1 else 'no'} held-out sample right: nothing to rank.",)
    settings = {**inputs.settings(), "score": "q_score", "bootstraps": num_bootstraps, "confidence": confidence}
    return Result(NAME, metrics, settings, arrays, notes)


def _side_by_side(
    inputs: EvaluationInputs, scores: dict[str, np.ndarray], num_bootstraps: int, confidence: float
) -> dict[str, float | None]:
    """The metrics of every score, and the difference of its AUROC to that of Q on the same resampled test sets."""
    correct, predictions = inputs.probe.correct, inputs.probe.predictions
    drawn = bootstrap_aurocs(scores, correct, num=num_bootstraps, seed=inputs.seed)
    own = f"q_{inputs.formula}"
    tail = (1 - confidence) / 2
    metrics = {name: ranking_metrics(values, correct) for name, values in scores.items()}
    found: dict[str, float | None] = {}
    for name, values in scores.items():
        low, high = np.nanquantile(drawn[name] - drawn[own], [tail, 1 - tail])
        found |= {f"{name}/{metric}": value for metric, value in metrics[name].items()}
        found |= {
            f"{name}/auroc_within": auroc_within(values, correct, predictions),
            f"{name}/minus_q": metrics[name]["auroc"] - metrics[own]["auroc"],
            f"{name}/minus_q_low": float(low),
            f"{name}/minus_q_high": float(high),
        }
    return found


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
