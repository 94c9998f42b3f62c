"""The evaluation of kept clusters and probes on other images, and of those images by themselves (tables 7 and 4)."""

from collections.abc import Mapping, Sequence

import numpy as np

from qscore.data import ImageDataModule
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.interpretability.reverse_probing.chance import mean_and_sd, probe_with_chance
from qscore.interpretability.reverse_probing.clustered import KMEANS, clustered
from qscore.interpretability.reverse_probing.kept import kept_probes
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.sources import LABELS, gather
from qscore.interpretability.reverse_probing.transfer import transfer
from qscore.results import Result
from qscore.score import cached_representations

NAME = "reverse_transfer"


def reverse_transfer(
    inputs: EvaluationInputs,
    *,
    datasets: Mapping[str, ImageDataModule],
    concepts: Sequence[str],
    num_clusters: int | None = None,
    num_clusterings: int = 5,
    solver: str = "auto",
) -> Result:
    """Returns what is left of clusters and probes on other images, and what these images give by themselves.

    `stored` applies the clusters and probes of the encoder's own training images, with their standardisation (Laina et
    al., ICLR 2022, table 7); `own` clusters and probes the other images anew (table 4), with their labels among the
    concepts if "labels" is named; `source` is the encoder's own data, without labels, as the stored probes are. All of
    them look at training images; of `own` and `source` a held-out fifth is measured, of `stored` all.

    Args:
        inputs: Of the encoder, with pictures.
        datasets: Images by name, at the size that the encoder was trained with.
        concepts: Where they come from, see `gather`; beside the labels, such as mean the same on every data set.
        num_clusters: Of k-means.
        num_clusterings: Of which mean and standard deviation are taken.
        solver: See `reverse_probe`.

    Raises:
        UserError: If no data set or no concept beside the labels is named, or the inputs have no pictures.
    """
    shared = [word for word in concepts if word != LABELS]
    if not datasets or not shared:
        raise UserError(
            "Expected data sets, and concepts other than labels that mean the same on all of them, got "
            f"{len(datasets)} and {len(shared)}; name them: evaluation.reverse_transfer.datasets=[cifar10,FOLDER] and "
            "evaluation.reverse_transfer.concepts=[colour,edges]."
        )
    if inputs.pictures is None:
        raise UserError("Expected an encoder to transfer, got representations alone; pass pictures=Pictures(...).")
    source = gather(shared, inputs).train
    found = clustered(inputs, KMEANS, num_clusters, num_clusterings)
    prober = Prober(inputs.seed, solver, inputs.device or "cpu").settled(source, found.groupings)
    probes = kept_probes(inputs, source, found.groupings, prober)
    metrics = _named("source", probe_with_chance(source, found.groupings, prober).as_metrics())
    unknown = {}
    for name, data in datasets.items():
        other = _inputs_of(data, inputs)
        words = gather(shared, other).train
        applied = [transfer(q, p, other.train.h, words) for q, p in zip(found.quantizers, probes, strict=True)]
        metrics |= _named(f"{name}/stored", mean_and_sd(np.array([each.measures.as_row() for each in applied])))
        unknown[name] = sum(each.num_unknown for each in applied)
        anew = clustered(other, KMEANS, num_clusters, num_clusterings)
        own = gather(concepts, other).train
        settled = Prober(inputs.seed, solver, prober.device).settled(own, anew.groupings)
        metrics |= _named(f"{name}/own", probe_with_chance(own, anew.groupings, settled).as_metrics())
    settings = {**found.facts, "concepts": list(concepts), "num_clusterings": num_clusterings, "seed": inputs.seed}
    notes = [
        f"{name}: {num} samples in clusters that no probe knows are left out." for name, num in unknown.items() if num
    ]
    return Result(NAME, metrics, settings, {"datasets": np.array(list(datasets), dtype=str)}, tuple(notes))


def _inputs_of(data: ImageDataModule, like: EvaluationInputs) -> EvaluationInputs:
    assert like.pictures is not None
    encoder, cache = like.pictures.encoder, like.pictures.cache
    train, test = (cached_representations(encoder, data, split, cache) for split in ("train", "test"))
    return EvaluationInputs(train, test, seed=like.seed, pictures=Pictures(encoder, data, cache), device=like.device)


def _named(prefix: str, metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    return {f"{prefix}/{name}": value for name, value in metrics.items()}
