"""Clusterings and probes that are kept beside the representations, so that nothing makes them twice."""

import inspect
import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.files import fingerprint
from qscore.interpretability.clusters import Quantizer, quantize
from qscore.interpretability.reverse_probing.concepts import labels_of
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.interpretability.reverse_probing.stored import StoredProbe
from qscore.records import Concepts, Grouping

log = logging.getLogger(__name__)

T = TypeVar("T")
SETTINGS = f"{inspect.signature(quantize)} {find_spec('faiss') is not None}"  # what else makes other clusters


def kept_quantizers(inputs: EvaluationInputs, num_clusters: int, num_clusterings: int) -> list[Quantizer]:
    """Returns clusterings of the training samples, from the cache where they were clustered before.

    Each is kept as soon as it is there: neither a killed run nor another set of concepts makes it again.

    Args:
        inputs: Representations; without pictures nothing is kept.
        num_clusters: K.
        num_clusterings: How many; their seeds begin at that of the inputs.
    """
    found = []
    for number in tqdm(range(num_clusterings), desc=f"Clustering, K = {num_clusters}", leave=False):
        seed = inputs.seed + number
        if inputs.pictures is None:
            found.append(quantize(inputs.train.h, num_clusters, seed=seed))
            continue
        key = fingerprint(
            inputs.train.fingerprint, f"{num_clusters} {seed} {SETTINGS} {find_spec('faiss') is not None}"
        )
        path = inputs.pictures.cache / "clusters" / f"{key}.safetensors"
        quantizer = _whole(Quantizer.load, path)
        if quantizer is None:
            quantizer = quantize(inputs.train.h, num_clusters, seed=seed)
            quantizer.save(path)
        found.append(quantizer)
    return found


def kept_probes(
    inputs: EvaluationInputs, concepts: Concepts, groupings: Sequence[Grouping], prober: Prober
) -> list[StoredProbe]:
    """Returns a probe of each clustering of the training samples, from the cache where it was fitted before.

    Args:
        inputs: Representations; without pictures nothing is kept.
        concepts: Of the training samples.
        groupings: What `kept_quantizers` makes of these.
        prober: How to fit, settled.
    """
    about = (*labels_of(concepts), concepts.present.indptr.tobytes(), concepts.present.indices.tobytes(), repr(prober))
    found = []
    for number, grouping in enumerate(tqdm(groupings, desc="Probes to keep", unit="probe", leave=False)):
        if inputs.pictures is None:
            found.append(StoredProbe.of(prober.probe(concepts, grouping, number), concepts))
            continue
        key = fingerprint(inputs.train.fingerprint, *about, grouping.clusters.tobytes(), str(number))
        path = inputs.pictures.cache / "probes" / f"{key}.safetensors"
        probe = _whole(StoredProbe.load, path)
        if probe is None:
            probe = StoredProbe.of(prober.probe(concepts, grouping, number), concepts)
            probe.save(path)
        found.append(probe)
    return found


def _whole(load: Callable[[Path], T], path: Path) -> T | None:
    """What is kept; None where nothing is, or what is cannot be read."""
    if not path.is_file():
        return None
    try:
        return load(path)
    except UserError as error:
        log.warning("%s is broken and is made again: %s", path, error)
        return None
