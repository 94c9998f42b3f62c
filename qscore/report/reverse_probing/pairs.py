"""Pairs of clusters that a group of concepts tells apart (figs. 5, 8 to 11), as result files hold them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import Encoders, label
from qscore.report.reverse_probing.measures import EVALUATION, Table, finite, full, holding

has_pairs = holding("pair_clusters")


@dataclass(frozen=True)
class ClusterPair:
    """One pair of one encoder; what was not kept is empty or None.

    Attributes:
        encoder: Whose clusters.
        group: Concepts that tell them apart.
        clusters: Numbers of both.
        labels: Their most common classes.
        counts: Their test samples.
        confusion: Before and after the group is added.
        p: Of the difference of both.
        images: Of each cluster, (image, y, x, channel).
        concepts: Names, ranked, with theta of the first cluster minus that of the second.
    """

    encoder: EvaluatedEncoder
    group: str
    clusters: tuple[int, int]
    labels: tuple[str, str]
    counts: tuple[int | None, ...]
    confusion: tuple[float | None, float | None]
    p: float | None
    images: tuple[np.ndarray | None, ...]
    concepts: tuple[tuple[str, float], ...]

    @property
    def numbers(self) -> str:
        """One line of what was counted."""
        before, after = (f"{100 * c:.1f} %" if c is not None else "–" for c in self.confusion)
        p = "–" if self.p is None else f"{self.p:.2g}"
        counts = " and ".join("–" if n is None else str(n) for n in self.counts)
        return f"confusion {before} → {after}, {counts} test samples, p = {p}"


def pairs_of(encoder: EvaluatedEncoder) -> list[ClusterPair]:
    """Returns the pairs that an evaluation left, in its order."""
    clusters = encoder.array(EVALUATION, "pair_clusters")
    return [_pair(encoder, i) for i in range(0 if clusters is None else len(clusters))]


def pairs_table(encoders: Encoders) -> Table:
    """Returns header and rows as printed, one a pair."""
    header = [
        "Encoder",
        "Group",
        "First cluster",
        "Second cluster",
        "Test samples",
        "Confusion before (%)",
        "after (%)",
    ]
    rows = []
    for pair in (pair for encoder in encoders for pair in pairs_of(encoder)):
        named = [f"{c} {name}".strip() for c, name in zip(pair.clusters, pair.labels, strict=True)]
        counts = ", ".join("–" if n is None else str(n) for n in pair.counts)
        confusion = ["–" if c is None else f"{100 * c:.1f}" for c in pair.confusion]
        p = "–" if pair.p is None else f"{pair.p:.2g}"
        concepts = "; ".join(f"{name} {theta:+.2f}" for name, theta in pair.concepts[:3])
        rows.append([label(pair.encoder), pair.group, *named, counts, *confusion, p, concepts])
    return [*header, "p", "Largest differences of theta"], rows


def pairs_csv(encoders: Encoders) -> Table:
    """Returns the ranked differences of every pair at full precision, one row a concept."""
    header = ["encoder", "group", "first", "second", "first label", "second label", "first n", "second n"]
    header += ["confusion before", "confusion after", "p", "rank", "concept", "theta first - second"]
    rows = []
    for pair in (pair for encoder in encoders for pair in pairs_of(encoder)):
        counts = ["" if n is None else str(n) for n in pair.counts]
        about = [label(pair.encoder), pair.group, *map(str, pair.clusters), *pair.labels, *counts]
        about += full([*pair.confusion, pair.p])
        ranked = pair.concepts or (("", float("nan")),)
        rows += [[*about, str(rank), name, *full([theta])] for rank, (name, theta) in enumerate(ranked, 1)]
    return header, rows


def _pair(encoder: EvaluatedEncoder, i: int) -> ClusterPair:
    def part(name: str, default: Any) -> Any:
        found = encoder.array(EVALUATION, f"pair_{name}")
        return default if found is None else found[i]

    first, second = map(int, part("clusters", (0, 0)))
    images, num_images = part("images", (None, None)), part("num_images", (None, None))
    before, after = map(float, part("confusion", (np.nan, np.nan)))
    one, other = (str(name) for name in part("labels", ("", "")))
    concepts = [(str(n), float(t)) for n, t in zip(part("concepts", ()), part("theta", ()), strict=True)]
    counts = part("counts", (None, None))
    return ClusterPair(
        encoder=encoder,
        group=str(part("group", "")),
        clusters=(first, second),
        labels=(one, other),
        counts=tuple(None if n is None else int(n) for n in counts),
        confusion=(finite(before), finite(after)),
        p=finite(float(part("p", np.nan))),
        images=tuple(None if a is None or n == 0 else a[:n] for a, n in zip(images, num_images, strict=True)),
        concepts=tuple((name, theta) for name, theta in concepts if name and np.isfinite(theta)),
    )
