"""Groups that k-means did not make: labels, dominant features, a method's own self-labels; and who is in a group."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qscore.arrays import read_arrays
from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.reverse_probing.concepts import listed
from qscore.interpretability.reverse_probing.tables.text import named_columns
from qscore.records import Grouping

COLUMNS = ("id", "cluster")
LARGEST = 2**53  # from here on a float skips whole numbers


def load_grouping(path: Path, ids: Sequence[str]) -> Grouping:
    """Returns the cluster of each sample by a file: a CSV file of id,cluster or an npz file of arrays ids, clusters.

    Args:
        path: Ends in .csv or .npz. Clusters are whole numbers; -1, or nothing in a CSV file, is for a sample in none.
        ids: Samples, as in `Representations`; the file may know others too.

    Raises:
        UserError: If the file is not like that, names a sample twice, or lacks one.
        UserFileNotFoundError: If it is not there.
    """
    found = read_clusters(path)
    if f"train/{ids[0]}" in found:  # where held-out samples have the same ids
        found = {sample.removeprefix("train/"): cluster for sample, cluster in found.items()}
    if missing := [sample for sample in ids if sample not in found]:
        raise UserError(
            f"Expected a cluster of every sample, got none of {len(missing)} out of {len(ids)}: {listed(missing)}; "
            f"{path.name} knows {listed(list(found))}. Write -1 for a sample that is in no cluster."
        )
    return Grouping(np.array([found[sample] for sample in ids], dtype=np.int64), path.name)


def read_clusters(path: Path) -> dict[str, int]:
    """Returns the cluster of every sample that a file names, -1 for none; see `load_grouping`.

    Raises:
        UserError: If the file is not like that, or names a sample twice.
        UserFileNotFoundError: If it is not there.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected a file of clusters, found none at {path}; write one of id,cluster.")
    if path.suffix not in (".csv", ".npz"):
        raise UserError(f"Expected clusters in a .csv or .npz file, got {path.name}; convert it to either.")
    named = _from_csv(path) if path.suffix == ".csv" else _from_npz(path)
    found: dict[str, int] = {}
    repeated = []
    for sample, cluster in named:
        if sample in found:
            repeated.append(sample)
        found[sample] = _whole_number(cluster, sample, path)
    if repeated:
        raise UserError(
            f"Expected every sample once in {path.name}, got {listed(repeated)} again; keep one row of each."
        )
    return found


def _from_csv(path: Path) -> Iterable[tuple[str, object]]:
    return [(sample, cluster) for sample, cluster in named_columns(path, COLUMNS, may_be_empty="cluster")]


def _from_npz(path: Path) -> Iterable[tuple[str, object]]:
    arrays = read_arrays(path)
    if not {"ids", "clusters"} <= set(arrays):
        raise UserError(
            f"Expected arrays ids and clusters in {path.name}, got {', '.join(arrays) or 'nothing'}; "
            "write them by np.savez(path, ids=..., clusters=...)."
        )
    ids, clusters = arrays["ids"], arrays["clusters"]
    if ids.ndim != 1 or ids.shape != clusters.shape:
        raise UserError(
            f"Expected a cluster for each id in {path.name}, got clusters {clusters.shape} and ids {ids.shape}; "
            "write two arrays of one length."
        )
    return [(str(sample), cluster) for sample, cluster in zip(ids.tolist(), clusters.tolist(), strict=True)]


def _whole_number(cluster: object, sample: str, path: Path) -> int:
    """The number of a cluster, -1 for none."""
    try:
        number = float(str(cluster).strip() or -1)
    except ValueError:
        number = np.nan
    if number != np.floor(number) or not -1 <= number < LARGEST:
        raise UserError(
            f"Expected whole numbers from -1 (of no group) as clusters in {path.name}, got '{cluster}' for {sample}. "
            "Give each name a number, and keep the names for a report in a column label of another file."
        )
    return int(number)


def by_dominant_feature(h: Float[Tensor, "sample feature"], dominant: Bool[Tensor, "sample feature"]) -> Grouping:
    """Returns the group of each sample by the largest of its dominant features, numbered as the features are.

    Args:
        h: Representations.
        dominant: (sample, feature), bool: which features may name the group, such as those of L ∩ D. A sample of none
            is in no group.

    >>> by_dominant_feature(torch.eye(3), torch.eye(3) > torch.tensor([0, 0, 1])).clusters
    array([ 0,  1, -1])
    """
    largest = h.masked_fill(~dominant, float("-inf")).argmax(1)
    return Grouping(torch.where(dominant.any(1), largest, -1).numpy(), "dominant features")


def by_labels(labels: Int[Tensor, " sample"]) -> Grouping:
    """Returns the classes as groups: how much the concepts say about them (appendix D.1)."""
    return Grouping(labels.numpy().astype(np.int64), "labels")


def members(grouping: Grouping, cluster: int, num: int = 25, seed: int = 0) -> Int[np.ndarray, " _"]:
    """Returns the positions of some samples of a cluster, drawn at random, for a grid of images.

    >>> members(Grouping(np.array([1, 0, 1, 1]), "made up"), 1)
    array([0, 2, 3])
    """
    inside = np.flatnonzero(grouping.clusters == cluster)
    return np.sort(np.random.default_rng((seed, cluster)).permutation(inside)[:num])


def common_label(labels: Int[np.ndarray, " sample"], grouping: Grouping, cluster: int) -> int:
    """Returns the most frequent class in a cluster, the smallest of equals.

    >>> common_label(np.array([7, 3, 7, 3]), Grouping(np.array([0, 0, 0, 1]), "made up"), 0)
    7
    """
    classes, times = np.unique(labels[grouping.clusters == cluster], return_counts=True)
    return int(classes[times.argmax()])
