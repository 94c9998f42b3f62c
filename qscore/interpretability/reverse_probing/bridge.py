"""Surprise beside Q-Score: does what words cannot say about a sample tell whether it is misclassified?"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata, spearmanr

from qscore.evaluation.ranking import bootstrap_aurocs, ranking_metrics
from qscore.interpretability.clusters import Quantizer
from qscore.interpretability.reverse_probing.stored import StoredProbe
from qscore.interpretability.reverse_probing.transfer import transfer
from qscore.records import Concepts, Representations

CONFIDENCE = 0.95
MIN_SAMPLES = 10


def mean_surprise(
    quantizers: Sequence[Quantizer], probes: Sequence[StoredProbe], test: Representations, concepts: Concepts
) -> Float[np.ndarray, " sample"]:
    """Returns the surprise -ln q(cluster | concepts) of held-out samples, averaged over clusterings, in nats.

    NaN for a sample that lies, in every clustering, in a cluster that no training sample is in.

    Args:
        quantizers: Clusterings of the training samples.
        probes: Fitted on these, in their order.
        test: Held-out representations by the same encoder.
        concepts: Of these, in their order.
    """
    found = [transfer(q, probe, test.h, concepts).surprise for q, probe in zip(quantizers, probes, strict=True)]
    is_known = np.isfinite(found)
    total = np.where(is_known, found, 0.0).sum(0)
    return np.asarray(np.where(is_known.any(0), total / is_known.sum(0).clip(min=1), np.nan))


def compare_with_q(
    surprise: Float[np.ndarray, " sample"],
    q: Float[np.ndarray, " sample"],
    correct: Bool[np.ndarray, " sample"] | None,
    *,
    num_bootstraps: int = 1000,
    seed: int = 0,
) -> dict[str, float | None]:
    """Returns the rank correlation of surprise and Q, and how well each and both tell right from wrong samples.

    In an AUROC high Q, and low surprise, should mean right. `both` ranks by the sum of the two ranks: nothing is
    fitted, so that no label is needed. Intervals are percentiles over the same resampled samples.

    Args:
        surprise: In nats.
        q: Q-Score.
        correct: Whether the linear probe is right; None without labels.
        num_bootstraps: Number of resampled sets.
        seed: Of these.

    >>> found = compare_with_q(np.array([3.0, 2.0, 1.0, 0.5] * 3), np.array([0.0, 1.0, 2.0, 3.0] * 3), None)
    >>> found["surprise_q_spearman"]
    -1.0
    """
    is_known = np.isfinite(surprise) & np.isfinite(q)
    surprise, q = surprise[is_known], q[is_known]
    if len(q) < MIN_SAMPLES or np.ptp(q) == 0 or np.ptp(surprise) == 0:
        return {}
    generator = np.random.default_rng(seed)
    drawn = [generator.integers(len(q), size=len(q)) for _ in range(num_bootstraps)]
    varied = [rows for rows in drawn if np.ptp(q[rows]) > 0 and np.ptp(surprise[rows]) > 0]
    correlations = np.array([spearmanr(surprise[rows], q[rows]).statistic for rows in varied])
    found = _with_interval("surprise_q_spearman", float(spearmanr(surprise, q).statistic), correlations)
    if correct is None or correct[is_known].all() or not correct[is_known].any():
        return found
    right = correct[is_known]
    scores = {"q": q, "surprise": -surprise, "both": rankdata(q) + rankdata(-surprise)}
    aurocs = bootstrap_aurocs(scores, right, num=num_bootstraps, seed=seed)
    for name, score in scores.items():
        measured = ranking_metrics(score, right)
        found |= _with_interval(f"auroc_{name}", measured["auroc"], aurocs[name])
        found[f"auprc_misclassified_{name}"] = measured["auprc_misclassified"]
    found["base_rate_misclassified"] = float((~right).mean())
    return found


def _with_interval(name: str, value: float, drawn: np.ndarray) -> dict[str, float | None]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return {name: value, f"{name}_low": float(low), f"{name}_high": float(high)}
