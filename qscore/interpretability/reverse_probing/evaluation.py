"""The evaluation of an encoder by reverse probing: the paper's tables, and what they have to do with Q-Score."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.reverse_probing import parts
from qscore.interpretability.reverse_probing.chance import Probed, probe_with_chance
from qscore.interpretability.reverse_probing.clustered import KMEANS, Clustered, check_options, clustered
from qscore.interpretability.reverse_probing.concepts import group_names
from qscore.interpretability.reverse_probing.named_images import of_named
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.sources import LABELS, Gathered, gather
from qscore.results import Result

NAME = "reverse_probing"


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
    surprise of the held-out samples beside their Q. Training samples are clustered; a fifth of them measures. Where
    people named held-out images, those are clustered, see `of_named`.

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
    named = of_named(words, inputs)
    inputs, known = named.inputs, gather(words, named.inputs)
    if named.notes:  # nobody saw the others
        known = replace(known, test=None, notes=(*known.notes, *named.notes))
    found = clustered(inputs, grouping, num_clusters, num_clusterings)
    unsettled = Prober(inputs.seed, solver, inputs.device or "cpu")
    prober = unsettled.settled(known.train, found.groupings)
    whole = _whole(known, found, probe_with_chance(known.train, found.groupings, prober))
    if ablate:
        whole += parts.of_groups(known.train, found, prober)
    if ks:
        whole += parts.of_sizes(inputs, known.train, ks, num_clusterings, unsettled)
    if num_pairs:
        whole += parts.of_pairs(inputs, known.train, found, prober, num_pairs)
    whole += parts.of_bridge(inputs, known, found, prober)
    settings = {
        **inputs.settings(),
        **found.facts,
        "grouping": grouping,
        "num_clusterings": num_clusterings,
        "solver": str(prober.solver),
        "concepts": words,
        "groups": list(group_names(known.train)),
    }
    return Result(NAME, whole.metrics, settings, whole.arrays, whole.notes)


def _whole(known: Gathered, found: Clustered, probed: Probed) -> parts.Part:
    """All concepts on all clusterings, beside chance."""
    counts: dict[str, float | None] = {
        "num_clusters": float(found.facts["num_clusters"]),
        "num_concepts": float((known.train.present.sum(0) > 0).sum()),
        "num_samples": float(len(known.train.ids)),
        "num_alone": float(np.mean([probe.split.num_alone for probe in probed.probes])),
        "num_absent": float(np.mean([probe.measures.num_absent for probe in probed.probes])),
    }
    notes = list(known.notes)
    if not found.quantizers:
        num = len(probed.probes)
        notes.append(f"The groups were given: mean and deviation are over {num} splits, and there is no surprise.")
    if outside := found.facts.get("num_in_no_cluster"):
        notes.append(f"{outside} samples are in no group and are left out.")
    return parts.Part(probed.as_metrics() | counts, probed.as_arrays(), tuple(notes))
