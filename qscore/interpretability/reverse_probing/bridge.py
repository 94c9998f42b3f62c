"""Surprise beside Q-Score: does what words cannot say about a sample tell whether it is misclassified?"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata, spearmanr

from qscore.evaluation.ranking import bootstrap_aurocs, ranking_metrics
from qscore.interpretability.clusters import Quantizer
from qscore.interpretability.reverse_probing.stored import StoredProbe
from qscore.interpretability.reverse_probing.transfer import transfer
from qscore.records import Concepts, Grouping, Representations

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


def rarity(
    groupings: Sequence[Grouping], quantizers: Sequence[Quantizer], test: Representations
) -> Float[np.ndarray, " sample"]:
    """Returns -ln p(cluster) of held-out samples, averaged over clusterings: the surprise of who knows no concept.

    Small clusters can be where a classifier errs, so that even this may foresee errors; surprise has to be better.

    Args:
        groupings: Clusters of the training samples, whose frequencies p are.
        quantizers: What made them, in their order.
        test: Held-out representations by the same encoder.
    """
    found = []
    for grouping, quantizer in zip(groupings, quantizers, strict=True):
        counts = np.bincount(grouping.clusters, minlength=len(quantizer.centroids))
        found.append(-np.log(counts.clip(min=1) / len(grouping.clusters))[quantizer.assign(test.h).clusters])
    return np.asarray(np.mean(found, axis=0))


def compare_with_q(
    surprise: Float[np.ndarray, " sample"],
    rare: Float[np.ndarray, " sample"],
    q: Float[np.ndarray, " sample"],
    correct: Bool[np.ndarray, " sample"] | None,
    *,
    num_bootstraps: int = 1000,
    seed: int = 0,
) -> dict[str, float | None]:
    """Returns the rank correlations with Q, and how well surprise, rarity, Q and surprise with Q rank right from wrong.

    In an AUROC high Q, and low surprise or rarity, should mean right. `both` ranks by the sum of the two ranks: nothing
    is fitted, so that no label is needed. Intervals are percentiles over the same resampled samples, and those of a
    difference (`surprise_minus_q`, `surprise_minus_rarity`, of AUROCs) are paired.

    Args:
        surprise: In nats.
        rare: Surprise without concepts, in nats.
        q: Q-Score.
        correct: Whether the linear probe is right; None without labels.
        num_bootstraps: Number of resampled sets.
        seed: Of these.

    >>> surprise, q = np.array([3.0, 2.0, 1.0, 0.5] * 3), np.array([0.0, 1.0, 2.0, 3.0] * 3)
    >>> found = compare_with_q(surprise, np.zeros(12), q, None)
    >>> found["surprise_q_spearman"]
    -1.0
    """
    is_known = np.isfinite(surprise) & np.isfinite(q)
    surprise, rare, q = surprise[is_known], rare[is_known], q[is_known]
    if len(q) < MIN_SAMPLES or np.ptp(q) == 0:
        return {}
    found = _spearman("surprise_q_spearman", surprise, q, num_bootstraps, seed)
    found |= _spearman("rarity_q_spearman", rare, q, num_bootstraps, seed)
    if correct is None or correct[is_known].all() or not correct[is_known].any():
        return found
    right = correct[is_known]
    scores = {"q": q, "surprise": -surprise, "rarity": -rare, "both": rankdata(q) + rankdata(-surprise)}
    drawn = bootstrap_aurocs(scores, right, num=num_bootstraps, seed=seed)
    measured = {name: ranking_metrics(score, right) for name, score in scores.items()}
    for name in scores:
        found |= _with_interval(f"auroc_{name}", measured[name]["auroc"], drawn[name])
        found[f"auprc_misclassified_{name}"] = measured[name]["auprc_misclassified"]
    for other in ("q", "rarity"):
        difference = measured["surprise"]["auroc"] - measured[other]["auroc"]
        found |= _with_interval(f"surprise_minus_{other}", difference, drawn["surprise"] - drawn[other])
    found["base_rate_misclassified"] = float((~right).mean())
    return found


def _spearman(name: str, a: np.ndarray, b: np.ndarray, num_bootstraps: int, seed: int) -> dict[str, float | None]:
    if np.ptp(a) == 0:
        return {}
    generator = np.random.default_rng(seed)
    drawn = [generator.integers(len(a), size=len(a)) for _ in range(num_bootstraps)]
    varied = [rows for rows in drawn if np.ptp(a[rows]) > 0 and np.ptp(b[rows]) > 0]
    correlations = np.array([spearmanr(a[rows], b[rows]).statistic for rows in varied])
    return _with_interval(name, float(spearmanr(a, b).statistic), correlations)


def _with_interval(name: str, value: float, drawn: np.ndarray) -> dict[str, float | None]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return {name: value, f"{name}_low": float(low), f"{name}_high": float(high)}
