"""Clusterings and probes that are kept on disk, so that neither a second look nor a killed run makes them again."""

import logging
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from qscore.files import fingerprint
from qscore.interpretability.clusters import Quantizer, quantize
from qscore.records import Representations

log = logging.getLogger(__name__)


def kept_clusterings(
    representations: Representations, num_clusters: int, seeds: Sequence[int], folder: Path | None
) -> list[Quantizer]:
    """Returns a clustering for each seed, from the folder where these very representations were clustered before.

    Args:
        representations: What to cluster.
        num_clusters: K.
        seeds: One a clustering.
        folder: Where they are kept; None keeps nothing.
    """
    found = []
    for seed in tqdm(seeds, desc=f"Clustering (K = {num_clusters})", leave=False):
        path = None
        if folder is not None:
            key = fingerprint(representations.fingerprint, f"{num_clusters} {seed}")
            path = folder / f"clusters-{key}.safetensors"
        if path is not None and path.is_file():
            found.append(Quantizer.load(path))
            continue
        found.append(quantize(representations.h, num_clusters, seed=seed))
        if path is not None:
            found[-1].save(path)
    return found
