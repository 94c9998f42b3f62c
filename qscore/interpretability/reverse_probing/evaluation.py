"""The evaluation of an encoder by reverse probing: the paper's tables, and what they have to do with Q-Score."""

from collections.abc import Sequence

import numpy as np

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.reverse_probing.ablation import added, by_k, cumulative, others
from qscore.interpretability.reverse_probing.bridge import compare_with_q, mean_surprise, rarity
from qscore.interpretability.reverse_probing.chance import probe_with_chance
from qscore.interpretability.reverse_probing.clustered import (
    KMEANS,
    Clustered,
    check_options,
    clustered,
    clustered_for_pairs,
)
from qscore.interpretability.reverse_probing.concepts import group_names, of_groups
from qscore.interpretability.reverse_probing.kept import kept_probes
from qscore.interpretability.reverse_probing.pair_images import confused_pairs
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.sources import LABELS, Gathered, gather
from qscore.records import Concepts, Grouping
from qscore.results import Result

NAME = "reverse_probing"
KNOWS_LABELS = "The surprise knows the labels of the very samples: there are no other concepts."
Arrays = dict[str, np.ndarray]


def reverse_probing(
    inputs: EvaluationInputs,
    *,
    concepts: Sequence[str],
    grouping: str = KMEANS,
    num_clusters: int | None = None,
    num_clusterings: int = 5,
    solver: str = "auto",
    ablate: bool = True,
    ks: Sequence[int] = (),
    num_pairs: int = 12,
) -> Result:
    """Returns how much concepts say about the clusters of the training representations, always beside chance.

    Laina, Asano and Vedaldi (ICLR 2022, arXiv 2209.03268): table 2; with `ablate` fig. 4 and table 3, with `ks`
    figs. 6 and 7; figs. 5 and 8 to 11 as confusion pairs. Ours: the shuffled concepts, the information in nats, and the
    surprise of the held-out samples beside their Q. Training samples are clustered; a fifth of them measures.

    Args:
        inputs: The cached representations, with their pictures where an expert looks at images.
        concepts: Where they come from, see `gather`.
        grouping: What is explained, see `clustered`.
        num_clusters: Of k-means; by default 1000, or what leaves 20 samples a cluster.
        num_clusterings: Of which mean and standard deviation are taken.
        solver: "auto", "sgd" or "lbfgs", see `reverse_probe`.
        ablate: Whether to probe with parts of the concepts too.
        ks: Further numbers of clusters.
        num_pairs: Confusion pairs to keep; 0 for none.

    Raises:
        UserError: If concepts, grouping or solver cannot be had.
    """
    check_options(grouping, num_clusters, num_clusterings, ks, solver)
    words = [word for word in concepts if not (word == LABELS == grouping)]  # else they would explain themselves
    known = gather(words, inputs)
    found = clustered(inputs, grouping, num_clusters, num_clusterings)
    unsettled = Prober(inputs.seed, solver, inputs.device or "cpu")
    prober = unsettled.settled(known.train, found.groupings)
    probed = probe_with_chance(known.train, found.groupings, prober)
    metrics, arrays = probed.as_metrics(), probed.as_arrays()
    metrics |= {
        "num_clusters": float(found.facts["num_clusters"]),
        "num_concepts": float((known.train.present.sum(0) > 0).sum()),
        "num_samples": float(len(known.train.ids)),
        "num_alone": float(np.mean([probe.split.num_alone for probe in probed.probes])),
        "num_absent": float(np.mean([probe.measures.num_absent for probe in probed.probes])),
    }
    if ablate:
        arrays |= _groups(known.train, found, prober)
    if ks:
        arrays |= _sweep(inputs, known.train, ks, num_clusterings, unsettled)
    notes = [*known.notes, *_notes(found, num_clusterings)]
    if num_pairs:
        grouping_of_pairs = clustered_for_pairs(inputs, found)
        arrays |= confused_pairs(inputs, known.train, grouping_of_pairs, prober, num_pairs)
        notes += _notes_of_pairs(grouping_of_pairs, found, len(arrays["pair_p"]))
    said, seen, remarks = _bridge(inputs, known, found, prober)
    notes += remarks
    return Result(
        NAME,
        metrics | {f"bridge/{name}": value for name, value in said.items()},
        {
            **inputs.settings(),
            **found.facts,
            "grouping": grouping,
            "num_clusterings": num_clusterings,
            "solver": str(prober.solver),
            "concepts": words,
            "groups": list(group_names(known.train)),
        },
        arrays | seen,
        tuple(notes),
    )


def _groups(concepts: Concepts, found: Clustered, prober: Prober) -> Arrays:
    """Figure 4 and table 3: groups in the order in which they were named."""
    arrays: Arrays = {}
    groups = group_names(concepts)
    if len(groups) > 1:
        steps = cumulative(concepts, found.groupings, groups, prober)
        arrays |= {"cumulative_steps": np.array(steps.steps), "cumulative": steps.values}
    if LABELS not in groups or len(groups) == 1:
        return arrays
    rest = others(concepts, [LABELS])
    without = cumulative(concepts, found.groupings, rest, prober)
    on_top = added(concepts, found.groupings, [LABELS], prober)
    return arrays | {
        "cumulative_without_steps": np.array(without.steps),
        "cumulative_without": without.values,
        "added_groups": np.array(on_top.groups),
        "labels_alone": on_top.alone,
        "added": on_top.differences,
        "added_shuffled": on_top.shuffled,
    }


def _sweep(
    inputs: EvaluationInputs, concepts: Concepts, ks: Sequence[int], num_clusterings: int, prober: Prober
) -> Arrays:
    groupings = {k: clustered(inputs, KMEANS, k, num_clusterings).groupings for k in sorted(set(ks))}
    swept = by_k(concepts, groupings, prober)
    return {"ks": swept.ks, "by_k": swept.values, "by_k_shuffled": swept.shuffled}


def _bridge(
    inputs: EvaluationInputs, known: Gathered, found: Clustered, prober: Prober
) -> tuple[dict[str, float | None], Arrays, list[str]]:
    """Surprise beside Q on the held-out samples, by concepts without the labels where there are others."""
    if known.test is None or not found.quantizers:
        return {}, {}, []
    rest = others(known.train, [LABELS]) or (LABELS,)
    probes = kept_probes(inputs, of_groups(known.train, rest), found.groupings, prober)
    surprise = mean_surprise(found.quantizers, probes, inputs.test, of_groups(known.test, rest))
    q = inputs.test_q.numpy().astype(np.float64)
    rare = rarity(found.groupings, found.quantizers, inputs.test)
    correct = inputs.probe.correct if _has_classes(inputs) else None
    arrays = {"surprise": surprise, "rarity": rare, "q": q} | ({} if correct is None else {"misclassified": ~correct})
    remarks = [KNOWS_LABELS] if rest == (LABELS,) else []
    return compare_with_q(surprise, rare, q, correct, seed=inputs.seed), arrays, remarks


def _has_classes(inputs: EvaluationInputs) -> bool:
    labels = inputs.train.labels
    return labels is not None and inputs.test.labels is not None and int(labels.min()) < int(labels.max())


def _notes(found: Clustered, num_clusterings: int) -> list[str]:
    notes = []
    if not found.quantizers:
        notes.append(
            f"The groups were given: mean and deviation are over {num_clusterings} splits, and there is no surprise."
        )
    if outside := found.facts.get("num_in_no_cluster"):
        notes.append(f"{outside} samples are in no group and are left out.")
    return notes


def _notes_of_pairs(grouping: Grouping, found: Clustered, num_pairs: int) -> list[str]:
    notes = []
    if found.quantizers and grouping.source != found.groupings[0].source:
        notes.append(f"Pairs are of a coarser clustering ({grouping.source}): they need 20 test samples a cluster.")
    if not num_pairs:
        notes.append("No group of concepts makes a pair of clusters less confused.")
    return notes
