"""npz files: dense or sparse. Nothing in them is ever unpickled."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array, hstack

from qscore.arrays import read_arrays
from qscore.errors import UserError
from qscore.files import written_whole
from qscore.interpretability.reverse_probing.concepts import label, listed, make_concepts
from qscore.interpretability.reverse_probing.tables.rows import binary, no_id
from qscore.records import Concepts

SPARSE = ("indptr", "indices", "shape")


def read_npz(path: Path) -> Concepts:
    """Returns the concepts of an npz file; see `load_concepts`."""
    arrays = read_arrays(path)
    for needed in ("ids", "names"):
        if needed not in arrays or arrays[needed].ndim != 1:
            raise UserError(f"Expected a one-dimensional array '{needed}', found none among: {listed(sorted(arrays))}.")
    ids, names = ([str(value) for value in arrays[key]] for key in ("ids", "names"))
    groups = [str(value) for value in np.atleast_1d(arrays["groups"])] if "groups" in arrays else path.stem
    if empty := [row for row, value in enumerate(ids, start=1) if not value.strip()]:
        raise no_id(empty[0])
    if not names or not ids:
        raise UserError(f"Expected samples and concepts, got {len(ids)} and {len(names)}.")
    each = [groups] * len(names) if isinstance(groups, str) else groups
    labels = [label(group, name) for group, name in zip(each, names, strict=False)]
    present = _dense(arrays["present"], ids, labels) if "present" in arrays else _sparse(arrays)
    return make_concepts(present, names, groups, ids)


def _dense(values: np.ndarray, ids: list[str], labels: list[str]) -> csr_array:
    if values.shape != (len(ids), len(labels)):
        raise UserError(
            f"Expected 'present' of {len(ids)} ids and {len(labels)} names and groups, got shape {values.shape}."
        )
    columns = [csr_array(binary(values[:, i], column, ids)[:, None]) for i, column in enumerate(labels)]
    return hstack(columns, format="csr")


def _sparse(arrays: Mapping[str, np.ndarray]) -> csr_array:
    if missing := [name for name in SPARSE if name not in arrays]:
        raise UserError(f"Expected an array 'present', or {', '.join(SPARSE)}; got no {', '.join(missing)}.")
    indptr, indices, shape = (arrays[name] for name in SPARSE)
    try:
        matrix = csr_array((np.ones(len(indices), dtype=bool), indices, indptr), shape=tuple(shape.tolist()))
        matrix.check_format(full_check=True)
    except (ValueError, TypeError) as error:
        raise UserError(f"Expected indptr, indices and shape of a compressed sparse row matrix; {error}.") from error
    matrix.sum_duplicates()
    return matrix


def write_npz(concepts: Concepts, path: Path) -> None:
    """Writes the sparse form, compressed."""
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            ids=np.array(concepts.ids, dtype=np.str_),
            names=np.array(concepts.names, dtype=np.str_),
            groups=np.array(concepts.groups, dtype=np.str_),
            indptr=concepts.present.indptr,
            indices=concepts.present.indices,
            shape=np.array(concepts.present.shape),
        )
