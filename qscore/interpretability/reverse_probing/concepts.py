"""Concepts: which words apply to which samples, chosen, put side by side, looked up, shuffled."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool
from scipy.sparse import csr_array, hstack

from qscore.errors import UserError, unknown_name
from qscore.records import Concepts

LISTED = 5
SHUFFLING = 1  # a stream of its own: not the permutation that the split draws from the same seed


def make_concepts(
    present: Bool[np.ndarray, "sample concept"] | csr_array,
    names: Sequence[str],
    groups: Sequence[str] | str,
    ids: Sequence[str],
) -> Concepts:
    """Returns concepts, once it is sure that they can be told apart and belong to somebody.

    Args:
        present: Whether each concept applies to each sample.
        names: Of the concepts.
        groups: Group of each, or of all.
        ids: Of the samples.

    Raises:
        UserError: If numbers of rows, columns, names, groups or ids do not fit, a sample or a concept comes twice, or
            an entry is neither 0 nor 1.
    """
    names, ids = tuple(names), tuple(ids)
    groups = (groups,) * len(names) if isinstance(groups, str) else tuple(groups)
    matrix = as_binary(present)
    if matrix.shape != (len(ids), len(names)) or len(groups) != len(names):
        raise UserError(
            f"Expected a row for each sample and a column for each concept, got {matrix.shape[0]} rows and "
            f"{matrix.shape[1]} columns for {len(ids)} ids, {len(names)} names and {len(groups)} groups."
        )
    labels = [label(group, name) for group, name in zip(groups, names, strict=True)]
    for kind, values in (("concept", labels), ("sample", list(ids))):
        if repeated := [value for value, times in Counter(values).items() if times > 1]:
            raise UserError(
                f"Expected every {kind} once, got {listed(repeated)} more than once; remove or rename the others."
            )
    return Concepts(matrix, names, groups, ids)


def as_binary(present: np.ndarray | csr_array) -> csr_array:
    """Returns a copy in which exactly the true entries are stored, once: their places are all that a probe reads.

    Args:
        present: (sample, concept), of zeros and ones of any type.

    Raises:
        UserError: If an entry is neither 0 nor 1.

    >>> as_binary(np.array([[0.0, 1.0], [0.0, 0.0]])).nnz
    1
    """
    matrix = csr_array(present, copy=True)
    if (wrong := matrix.data[(matrix.data != 0) & (matrix.data != 1)]).size:
        raise UserError(f"Expected concepts of 0 and 1, got {wrong[0]}; compare the scores with a threshold first.")
    matrix = matrix.astype(bool)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def label(group: str, name: str) -> str:
    """Returns how a concept is written.

    >>> label("colour", "red")
    '[colour] red'
    """
    return f"[{group}] {name}"


def labels_of(concepts: Concepts) -> tuple[str, ...]:
    """Returns how each concept is written."""
    return tuple(label(group, name) for group, name in zip(concepts.groups, concepts.names, strict=True))


def listed(values: Sequence[str]) -> str:
    """Returns the first few of some values, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d, e and 1 more'
    """
    rest = f" and {len(values) - LISTED} more" if len(values) > LISTED else ""
    return ", ".join(values[:LISTED]) + rest


def group_names(concepts: Concepts) -> tuple[str, ...]:
    """Returns the groups in the order in which they come."""
    return tuple(dict.fromkeys(concepts.groups))


def of_groups(concepts: Concepts, groups: Iterable[str]) -> Concepts:
    """Returns the concepts of some groups.

    Raises:
        UserError: If there is no such group.
    """
    wanted, known = set(groups), group_names(concepts)
    for group in sorted(wanted.difference(known)):
        raise unknown_name("group of concepts", group, known)
    columns = [i for i, group in enumerate(concepts.groups) if group in wanted]
    return _of_columns(concepts, columns)


def side_by_side(parts: Sequence[Concepts]) -> Concepts:
    """Returns the concepts of several sources about the same samples, in the order of the first.

    Raises:
        UserError: If a source lacks a sample of the first, or two name the same concept.
    """
    aligned = [parts[0], *(of_samples(part, parts[0].ids) for part in parts[1:])]
    return make_concepts(
        hstack([part.present for part in aligned], format="csr"),
        [name for part in aligned for name in part.names],
        [group for part in aligned for group in part.groups],
        parts[0].ids,
    )


def of_samples(concepts: Concepts, ids: Sequence[str]) -> Concepts:
    """Returns the rows of some samples, in their order; others may be there too.

    Raises:
        UserError: If a sample has no row; the first are named.
    """
    place = {known: row for row, known in enumerate(concepts.ids)}
    if missing := [wanted for wanted in ids if wanted not in place]:
        raise UserError(
            f"Expected concepts of every sample, got none of {len(missing)} out of {len(ids)}: {listed(missing)}; "
            f"the table knows {listed(concepts.ids)}. Ids are the paths of images below their folder, or their numbers."
        )
    return dataclasses.replace(concepts, present=concepts.present[[place[i] for i in ids]], ids=tuple(ids))


def shuffled(concepts: Concepts, seed: int) -> Concepts:
    """Returns the same rows dealt to other samples: concepts as frequent and as correlated, which say nothing."""
    order = np.random.default_rng((seed, SHUFFLING)).permutation(len(concepts.ids))
    return dataclasses.replace(concepts, present=concepts.present[order])


def without_silent(concepts: Concepts) -> Concepts:
    """Returns the concepts that apply to a sample at least."""
    return _of_columns(concepts, np.flatnonzero(concepts.present.sum(0)).tolist())


def _of_columns(concepts: Concepts, columns: Sequence[int]) -> Concepts:
    return Concepts(
        concepts.present[:, columns],
        tuple(concepts.names[i] for i in columns),
        tuple(concepts.groups[i] for i in columns),
        concepts.ids,
    )
