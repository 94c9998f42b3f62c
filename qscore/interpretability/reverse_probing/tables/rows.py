"""Rows of a concept table as they are read: checked one by one, kept sparse."""

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped
from scipy.sparse import csr_array

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.concepts import listed, make_concepts
from qscore.records import Concepts

ID = "id"
HEADER = re.compile(r"\[([^\]]*)\]\s*(.+)", flags=re.DOTALL)
BINARY = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}


def split_label(header: str, default_group: str) -> tuple[str, str]:
    """Returns the group and the name of a concept from the head of its column.

    >>> split_label("[colour] red", "table"), split_label("red", "table")
    (('colour', 'red'), ('table', 'red'))
    """
    found = HEADER.fullmatch(header.strip())
    return (found[1], found[2]) if found else (default_group, header.strip())


def column_of_ids(columns: Sequence[str]) -> int:
    """Returns the place of the ids.

    Raises:
        UserError: If there is no such column, more than one, or no other.
    """
    places = [place for place, column in enumerate(columns) if column == ID]
    if len(places) != 1:
        raise UserError(f"Expected one column '{ID}', got {len(places)} among: {listed(columns) or 'no columns'}.")
    if len(columns) == 1:
        raise UserError(f"Expected a column for each concept beside '{ID}', got none.")
    return places[0]


def is_present(value: str) -> bool | None:
    """Returns what a cell says, or None where it says neither.

    >>> is_present("1"), is_present("False"), is_present("maybe")
    (True, False, None)
    """
    return BINARY.get(value.strip().lower())


def not_binary(value: Any, column: str, row_id: str) -> UserError:
    """Returns the error of a cell that is not one of 0 and 1, or has nothing in it."""
    is_missing = value is None or value != value or not str(value).strip()
    got = "no value" if is_missing else f"'{value}'"
    return UserError(f"Expected 0 or 1, or true or false, got {got} in column '{column}' of sample '{row_id}'.")


def no_id(row: int) -> UserError:
    """Returns the error of a row, from 1, without an id."""
    return UserError(f"Expected an id for every sample, got none in row {row}.")


def binary(values: Shaped[np.ndarray, " sample"], column: str, ids: Sequence[str]) -> Bool[np.ndarray, " sample"]:
    """Returns the values of a column of any type as truth values.

    Raises:
        UserError: If one is neither 0 nor 1, with its sample.
    """
    if values.dtype == bool:
        return values
    if values.dtype.kind in "iuf":
        wrong = np.flatnonzero((values != 0) & (values != 1))
        if len(wrong):
            raise not_binary(values[wrong[0]], column, ids[wrong[0]])
        return values.astype(bool)
    said = [is_present(str(value)) for value in values]
    if None in said:
        raise not_binary(values[said.index(None)], column, ids[said.index(None)])
    return np.array(said, dtype=bool)


class Rows:
    """The rows that were read so far.

    Attributes:
        ids: Of the samples.
        columns: Heads of the columns of concepts.
    """

    def __init__(self, columns: Sequence[str], default_group: str) -> None:
        self.columns, self.ids = tuple(columns), list[str]()
        self._labels = [split_label(column, default_group) for column in columns]
        if nameless := [place for place, (_, name) in enumerate(self._labels, start=1) if not name]:
            raise UserError(f"Expected a name for every concept, got none for column {nameless[0]} of the concepts.")
        self._indices, self._indptr = array("i"), array("q", [0])

    def add(self, row_id: str, present: Iterable[int]) -> None:
        """Adds a sample.

        Args:
            row_id: Its id.
            present: Places of the concepts that apply to it.
        """
        if not row_id.strip():
            raise no_id(len(self.ids) + 1)
        self.ids.append(row_id)
        self._indices.extend(present)
        self._indptr.append(len(self._indices))

    def concepts(self) -> Concepts:
        """Returns the table.

        Raises:
            UserError: If there is no row, or an id or a concept comes twice.
        """
        if not self.ids:
            raise UserError("Expected a row for each sample, got none below the heads of the columns.")
        indices = np.frombuffer(self._indices, dtype=np.int32)
        present = csr_array(
            (np.ones(len(indices), dtype=bool), indices, np.frombuffer(self._indptr, dtype=np.int64)),
            shape=(len(self.ids), len(self.columns)),
        )
        return make_concepts(
            present, [name for _, name in self._labels], [group for group, _ in self._labels], self.ids
        )
