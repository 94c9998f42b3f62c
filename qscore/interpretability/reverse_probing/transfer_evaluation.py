"""The evaluation of kept clusters and probes on other images, and of those images by themselves (tables 7 and 4)."""

from collections.abc import Mapping, Sequence

import numpy as np

from qscore.data import ImageDataModule
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.interpretability.clusters import Quantizer
from qscore.interpretability.reverse_probing.chance import mean_and_sd, probe_with_chance
from qscore.interpretability.reverse_probing.clustered import KMEANS, clustered
from qscore.interpretability.reverse_probing.concepts import shuffled
from qscore.interpretability.reverse_probing.kept import kept_probes
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.sources import LABELS, gather
from qscore.interpretability.reverse_probing.stored import StoredProbe
from qscore.interpretability.reverse_probing.transfer import transfer
from qscore.records import Concepts
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
        concepts: Where they come from, see `gather`; beside the labels, such as mean the same on every data set. In a
            file the ids of a data set's images are written NAME/ID.
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
    small = [name for name, data in datasets.items() if len(data.source("train")) < (num_clusters or 2)]
    if small:
        raise UserError(
            f"Expected at least {num_clusters or 2} images to cluster in {', '.join(small)}; set num_clusters."
        )
    source = gather(shared, inputs)
    found = clustered(inputs, KMEANS, num_clusters, num_clusterings)
    unsettled = Prober(inputs.seed, solver, inputs.device or "cpu")
    prober = unsettled.settled(source.train, found.groupings)
    probes = kept_probes(inputs, source.train, found.groupings, prober)
    metrics = _named("source", probe_with_chance(source.train, found.groupings, prober).as_metrics())
    notes = list(source.notes)
    for name, data in datasets.items():
        other = _inputs_of(data, inputs)
        words = gather(shared, other, prefix=f"{name}/")
        stored, num_unknown = _stored(other, words.train, found.quantizers, probes)
        anew = clustered(other, KMEANS, num_clusters, num_clusterings)
        own = gather(concepts, other, prefix=f"{name}/").train
        probed = probe_with_chance(own, anew.groupings, unsettled.settled(own, anew.groupings))
        metrics |= _named(f"{name}/stored", stored) | _named(f"{name}/own", probed.as_metrics())
        notes += [f"{name}: {note}" for note in words.notes]
        if num_unknown:
            notes.append(f"{name}: {num_unknown} samples, over all clusterings, lie in clusters that no probe knows.")
    settings = {**found.facts, "concepts": list(concepts), "num_clusterings": num_clusterings, "seed": inputs.seed}
    return Result(NAME, metrics, settings, {"datasets": np.array(list(datasets), dtype=str)}, tuple(notes))


def _stored(
    other: EvaluationInputs, words: Concepts, quantizers: Sequence[Quantizer], probes: Sequence[StoredProbe]
) -> tuple[dict[str, float | None], int]:
    """Measures of kept probes, and of the same with shuffled words; how many samples are in unknown clusters."""
    pairs = list(zip(quantizers, probes, strict=True))
    applied = [transfer(quantizer, probe, other.train.h, words) for quantizer, probe in pairs]
    dealt = shuffled(words, other.seed)
    by_chance = [transfer(quantizer, probe, other.train.h, dealt) for quantizer, probe in pairs]
    rows, chance_rows = (np.array([each.measures.as_row() for each in some]) for some in (applied, by_chance))
    return mean_and_sd(rows) | mean_and_sd(chance_rows, "shuffled/"), sum(each.num_unknown for each in applied)


def _inputs_of(data: ImageDataModule, like: EvaluationInputs) -> EvaluationInputs:
    assert like.pictures is not None
    encoder, cache = like.pictures.encoder, like.pictures.cache
    train, test = (cached_representations(encoder, data, split, cache) for split in ("train", "test"))
    return EvaluationInputs(train, test, seed=like.seed, pictures=Pictures(encoder, data, cache), device=like.device)


def _named(prefix: str, metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    return {f"{prefix}/{name}": value for name, value in metrics.items()}
