"""Paired comparison of runs: what the regularizer did, over training seeds, against a control of equal compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qscore.report.collect import EvaluatedEncoder
from qscore.report.compared_metrics import METRICS, Metric
from qscore.report.pairing import Comparison
from qscore.report.statistics import holm, p_value, sample_interval, t_interval

SEEDS_FOR_A_CLAIM = 3
NUM_BOOTSTRAPS = 1000
EFFECT, WEAK = "effect", "effect before Holm's correction"
NO_EFFECT, NO_CLAIM, UNCLEAR = "no effect shown", "no claim", "differs, cause unclear"
LEVEL = 0.05
HEADER = [
    "Metric",
    "Seeds",
    "Mean",
    "Reference",
    "Difference",
    "95 % over seeds",
    "95 % over images",
    "p (Holm)",
    "Verdict",
]


@dataclass(frozen=True)
class Difference:
    """What is said of one metric of one comparison.

    Attributes:
        metric: Which.
        treated: Its value for each pair.
        reference: Likewise.
        seeds: Interval of the mean difference, Student's t over training seeds.
        images: The same by bootstrap over held-out images; None where no per-sample values are kept.
        p: Of the paired t test, adjusted for all metrics of the comparison.
        verdict: "effect", or the same "before Holm's correction" where p is 0.05 or more; "differs, cause unclear"
        where more than the treatment differs, as to any baseline; "no
            effect shown"; "no claim" with fewer than 3 seeds.
    """

    metric: Metric
    treated: tuple[float, ...]
    reference: tuple[float, ...]
    seeds: tuple[float, float]
    images: tuple[float, float] | None
    p: float
    verdict: str

    @property
    def differences(self) -> tuple[float, ...]:
        """Treated minus reference, for each pair."""
        return tuple(a - b for a, b in zip(self.treated, self.reference, strict=True))


def differences(comparison: Comparison, *, num_bootstraps: int = NUM_BOOTSTRAPS) -> list[Difference]:
    """Returns the paired differences of every metric that all pairs of a comparison have.

    An effect needs 3 seeds, an interval over seeds without 0, and a control that was trained alike. Several metrics are
    looked at together, so one in twenty lies: `p` says which would stand after Holm's correction.
    """
    known = [m for m in METRICS if all(_comparable(m, p.treated, p.reference) for p in comparison.pairs)]
    values = {m: [(_value(p.treated, m), _value(p.reference, m)) for p in comparison.pairs] for m in known}
    adjusted = holm([p_value([a - b for a, b in values[m]]) for m in known])
    found = []
    for metric, p in zip(known, adjusted, strict=True):
        treated, reference = zip(*values[metric], strict=True)
        each = [a - b for a, b in values[metric]]
        interval = t_interval(each)
        images = _over_images(metric, comparison, num_bootstraps)
        found.append(
            Difference(
                metric, treated, reference, interval, images, p, _verdict(each, interval, p, is_fair=comparison.is_fair)
            )
        )
    return found


def difference_rows(found: Sequence[Difference]) -> list[list[str]]:
    """Returns the rows of a comparison's table, as printed."""
    return [
        [
            d.metric.title,
            str(len(d.treated)),
            f"{np.mean(d.treated):.4g}",
            f"{np.mean(d.reference):.4g}",
            f"{np.mean(d.differences):+.4g}",
            _interval(d.seeds) if len(d.treated) > 1 else "one seed",
            "–" if d.images is None else _interval(d.images),
            f"{d.p:.3g}" if len(d.treated) > 1 else "–",
            d.verdict,
        ]
        for d in found
    ]


def _verdict(each: Sequence[float], interval: tuple[float, float], p: float, *, is_fair: bool) -> str:
    if len(each) < SEEDS_FOR_A_CLAIM:
        return f"{NO_CLAIM}: {len(each)} of {SEEDS_FOR_A_CLAIM} seeds"
    if not (interval[0] > 0 or interval[1] < 0):  # also where a number is not defined
        return NO_EFFECT
    if not is_fair:
        return UNCLEAR
    return EFFECT if p < LEVEL else WEAK


def _over_images(metric: Metric, comparison: Comparison, num: int) -> tuple[float, float] | None:
    pairs = [(_arrays(p.treated, metric), _arrays(p.reference, metric)) for p in comparison.pairs]
    sizes = {len(array) for pair in pairs for arrays in pair for array in arrays}
    is_complete = all(arrays for pair in pairs for arrays in pair) and all(p.same_images for p in comparison.pairs)
    if not metric.arrays or not is_complete or len(sizes) != 1:
        return None
    return sample_interval(pairs, metric.statistic, num=num)


def _arrays(encoder: EvaluatedEncoder, metric: Metric) -> list[np.ndarray]:
    found = [encoder.array(*name.split("/")) for name in metric.arrays]
    return [] if any(array is None for array in found) else found


def _comparable(metric: Metric, one: EvaluatedEncoder, other: EvaluatedEncoder) -> bool:
    if _value(one, metric) is None or _value(other, metric) is None:
        return False
    results = (encoder.results[metric.evaluation] for encoder in (one, other))
    ours, theirs = ({**result.metrics, **result.settings} for result in results)
    return all(ours.get(name) == theirs.get(name) for name in metric.alike)


def _value(encoder: EvaluatedEncoder, metric: Metric) -> Any:
    return encoder.metric(metric.evaluation, metric.name)


def _interval(ends: tuple[float, float]) -> str:
    return f"[{ends[0]:+.4g}, {ends[1]:+.4g}]"
