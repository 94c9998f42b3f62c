"""Groups of images, and what is known of the images, from files that anybody can write."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from qscore.arrays import read_arrays
from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.forced_choice.words.written import check_described, read_descriptions
from qscore.interpretability.groupings import read_clusters
from qscore.interpretability.reverse_probing.concepts import listed
from qscore.interpretability.reverse_probing.experts.captions import read_captions
from qscore.interpretability.reverse_probing.tables.text import named_columns
from qscore.records import Grouping

Value = TypeVar("Value")


@dataclass(frozen=True)
class FiledGroups:
    """Samples, their groups, and what else is known of them; all in one order.

    Attributes:
        ids: Of the samples.
        grouping: The group of each, -1 for none.
        labels: The class of each by name; "" is allowed outside of the groups.
        features: For hard negatives.
        captions: One each; likewise.
        descriptions: What people wrote about a group.
    """

    ids: tuple[str, ...]
    grouping: Grouping
    labels: tuple[str, ...] | None = None
    features: Float[np.ndarray, "sample feature"] | None = None
    captions: tuple[str, ...] | None = None
    descriptions: Mapping[int, str] = field(default_factory=dict)


def read_group_files(
    grouping: Path,
    *,
    labels: Path | None = None,
    features: Path | None = None,
    captions: Path | None = None,
    descriptions: Path | None = None,
) -> FiledGroups:
    """Reads a grouping, and what stands beside it. All files may know samples that the grouping does not name.

    Args:
        grouping: See `load_grouping`: .csv of id,cluster or .npz of ids, clusters.
        labels: .csv of id,label.
        features: .npz of arrays ids, features (sample, feature).
        captions: .csv of id,caption; of several captions of a sample the first is taken.
        descriptions: .csv of group,description.

    Raises:
        UserError: If a file is not like that, or a sample of a group is missing from one.
        UserFileNotFoundError: If one is not there.
    """
    clusters = read_clusters(grouping)
    ids = tuple(clusters)
    if not ids:
        raise UserError(f"Expected samples in {grouping}, got none; write a row of id,cluster for each.")
    groups = np.array(list(clusters.values()), dtype=np.int64)
    grouped = [sample for sample, group in clusters.items() if group >= 0]

    def words(found: Mapping[str, str], path: Path, what: str) -> tuple[str, ...]:
        _of_ids(found, grouped, path, what)
        return tuple(found.get(sample, "") for sample in ids)

    return FiledGroups(
        ids,
        Grouping(groups, grouping.stem),
        None if labels is None else words(_labels(labels), labels, "label"),
        None if features is None else np.stack(_of_ids(_features(features), ids, features, "row of features")),
        None if captions is None else words(_first_captions(captions), captions, "caption"),
        {} if descriptions is None else _descriptions(descriptions, sorted(set(groups[groups >= 0].tolist()))),
    )


def _of_ids(found: Mapping[str, Value], ids: Sequence[str], path: Path, what: str) -> list[Value]:
    if missing := [sample for sample in ids if sample not in found]:
        raise UserError(
            f"Expected a {what} of every sample in a group, got none of {len(missing)} out of {len(ids)}: "
            f"{listed(missing)}; {path.name} knows {listed(list(found)) or 'nobody'}. Use the same ids in all files."
        )
    return [found[sample] for sample in ids]


def _once(rows: Iterable[tuple[str, ...]], path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in rows:
        if found.setdefault(name, value) != value:
            raise UserError(f"Expected one value for {name} in {path.name}, got {found[name]} and {value}; keep one.")
    return found


def _labels(path: Path) -> dict[str, str]:
    return _once(named_columns(path, ("id", "label")), path)


def _first_captions(path: Path) -> dict[str, str]:
    said = ((sample, [caption for caption in captions if caption]) for sample, captions in read_captions(path).items())
    return {sample: captions[0] for sample, captions in said if captions}


def _features(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise UserFileNotFoundError(
            f"Expected a file of features, found none at {path}; write an .npz of ids, features."
        )
    arrays = read_arrays(path, ("ids", "features"))
    if len(arrays) < 2:
        raise UserError(
            f"Expected an .npz file of arrays ids and features, got {listed(list(arrays)) or 'neither'} in {path}; "
            "write them by np.savez(path, ids=..., features=...)."
        )
    ids, features = arrays["ids"], arrays["features"]
    if features.ndim != 2 or ids.shape != features.shape[:1] or features.dtype.kind not in "fiu":
        raise UserError(
            f"Expected features of shape (sample, feature) and an id each in {path.name}, "
            f"got features {features.shape} of {features.dtype} and ids {ids.shape}."
        )
    if not np.isfinite(features).all():
        raise UserError(f"Expected finite features in {path.name}, got NaN or infinity; leave those samples out.")
    names = [str(sample) for sample in ids.tolist()]
    if repeated := [name for name, times in Counter(names).items() if times > 1]:
        raise UserError(f"Expected every id once in {path.name}, got {listed(repeated)} again; keep one row of each.")
    return dict(zip(names, features.astype(np.float64), strict=True))


def _descriptions(path: Path, groups: list[int]) -> dict[int, str]:
    found = read_descriptions(path)
    if groups:
        check_described(found, groups)
    return found
