"""What the evaluation adds to the probes of all concepts: their groups, other K, pairs of clusters, the bridge to Q."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.reverse_probing import concepts as chosen
from qscore.interpretability.reverse_probing.ablation import added, by_k, cumulative, others
from qscore.interpretability.reverse_probing.bridge import compare_with_q, mean_surprise, rarity
from qscore.interpretability.reverse_probing.clustered import KMEANS, Clustered, clustered, clustered_for_pairs
from qscore.interpretability.reverse_probing.kept import kept_probes
from qscore.interpretability.reverse_probing.pair_images import confused_pairs
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.sources import LABELS, Gathered
from qscore.records import Concepts

KNOWS_LABELS = "The surprise knows the labels of the very samples: there are no other concepts."


@dataclass(frozen=True)
class Part:
    """Of a result: numbers, arrays for figures, sentences a reader must see."""

    metrics: dict[str, float | None] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __add__(self, other: "Part") -> "Part":
        return Part(self.metrics | other.metrics, self.arrays | other.arrays, self.notes + other.notes)


def of_groups(concepts: Concepts, found: Clustered, prober: Prober) -> Part:
    """Returns figure 4 and table 3: groups in the order in which they were named."""
    groups = chosen.group_names(concepts)
    if len(groups) == 1:
        return Part()
    steps = cumulative(concepts, found.groupings, groups, prober)
    arrays = {"cumulative_steps": np.array(steps.steps), "cumulative": steps.values}
    if LABELS in groups:
        without = cumulative(concepts, found.groupings, others(concepts, [LABELS]), prober)
        on_top = added(concepts, found.groupings, [LABELS], prober)
        arrays |= {
            "cumulative_without_steps": np.array(without.steps),
            "cumulative_without": without.values,
            "added_groups": np.array(on_top.groups),
            "labels_alone": on_top.alone,
            "added": on_top.differences,
            "added_shuffled": on_top.shuffled,
        }
    return Part(arrays=arrays)


def of_sizes(
    inputs: EvaluationInputs, concepts: Concepts, ks: Sequence[int], num_clusterings: int, prober: Prober
) -> Part:
    """Returns figures 6 and 7: the measures at several K, by a prober that is not settled yet."""
    groupings = {k: clustered(inputs, KMEANS, k, num_clusterings).groupings for k in sorted(set(ks))}
    swept = by_k(concepts, groupings, prober)
    return Part(arrays={"ks": swept.ks, "by_k": swept.values, "by_k_shuffled": swept.shuffled})


def of_pairs(inputs: EvaluationInputs, concepts: Concepts, found: Clustered, prober: Prober, num_pairs: int) -> Part:
    """Returns figures 5 and 8 to 11: pairs of clusters that a group of concepts tells apart."""
    grouping = clustered_for_pairs(inputs, found)
    arrays = confused_pairs(inputs, concepts, grouping, prober, num_pairs)
    notes = []
    if found.quantizers and grouping.source != found.groupings[0].source:
        notes.append(f"Pairs are of a coarser clustering ({grouping.source}): they need 20 test samples a cluster.")
    if not len(arrays["pair_p"]):
        notes.append("No group of concepts tells a pair of clusters apart.")
    return Part({}, arrays, tuple(notes))


def of_bridge(inputs: EvaluationInputs, known: Gathered, found: Clustered, prober: Prober) -> Part:
    """Returns surprise beside Q on the held-out samples, by concepts without the labels where there are others."""
    if known.test is None or not found.quantizers:
        return Part()
    rest = others(known.train, [LABELS]) or (LABELS,)
    probes = kept_probes(inputs, chosen.of_groups(known.train, rest), found.groupings, prober)
    surprise = mean_surprise(found.quantizers, probes, inputs.test, chosen.of_groups(known.test, rest))
    rare = rarity(found.groupings, found.quantizers, inputs.test)
    q = inputs.test_q.numpy().astype(np.float64)
    arrays = {"surprise": surprise, "rarity": rare, "q": q}
    correct = inputs.probe.correct if _has_classes(inputs) else None
    if correct is not None:
        arrays["misclassified"] = ~correct
    said = compare_with_q(surprise, rare, q, correct, seed=inputs.seed)
    notes = (KNOWS_LABELS,) if rest == (LABELS,) else ()
    return Part({f"bridge/{name}": value for name, value in said.items()}, arrays, notes)


def _has_classes(inputs: EvaluationInputs) -> bool:
    labels = inputs.train.labels
    return labels is not None and inputs.test.labels is not None and int(labels.min()) < int(labels.max())
