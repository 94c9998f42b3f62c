"""CSV files: the wide table of concepts, the long one, and columns by name."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import written_whole
from qscore.interpretability.reverse_probing.concepts import labels_of, listed
from qscore.interpretability.reverse_probing.tables.rows import ID, Rows, column_of_ids, is_present, no_id, not_binary
from qscore.records import Concepts

LONG = (ID, "concept")


def read_csv(path: Path) -> Concepts:
    """Returns the concepts of a CSV; see `load_concepts`."""
    with csv_rows(path) as (columns, lines):
        if sorted(columns) == sorted(LONG):
            return _long(((line[columns.index(ID)], line[columns.index(LONG[1])]) for line in lines), path.stem)
        place = column_of_ids(columns)
        table = Rows([column for i, column in enumerate(columns) if i != place], path.stem)
        for line in lines:
            row_id = line.pop(place)
            table.add(row_id, _present(line, table.columns, row_id))
        return table.concepts()


def _present(cells: Sequence[str], columns: Sequence[str], row_id: str) -> list[int]:
    said = [(i, is_present(cell)) for i, cell in enumerate(cells) if cell != "0"]
    for i, is_there in said:
        if is_there is None:
            raise not_binary(cells[i], columns[i], row_id)
    return [i for i, is_there in said if is_there]


def _long(pairs: Iterator[tuple[str, str]], default_group: str) -> Concepts:
    by_sample: dict[str, set[int]] = {}
    places: dict[str, int] = {}
    for number, (row_id, name) in enumerate(pairs, start=1):
        if not row_id.strip():
            raise no_id(number)
        found = by_sample.setdefault(row_id, set())
        if name.strip():
            found.add(places.setdefault(name.strip(), len(places)))
    table = Rows(list(places), default_group)
    for row_id, present in by_sample.items():
        table.add(row_id, sorted(present))
    return table.concepts()


@contextmanager
def csv_rows(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Yields the heads of the columns of a CSV, and its lines, each with as many cells.

    Raises:
        UserError: If it is no UTF-8 text, or a line has another number of cells.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = [column.strip() for column in next(reader, [])]
            yield columns, _even(reader, len(columns))
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise UserError(
            f"Expected a CSV in UTF-8, with commas and double quotes; it cannot be read: {error}."
        ) from error


def _even(reader: Iterator[list[str]], num_columns: int) -> Iterator[list[str]]:
    for number, line in enumerate(reader, start=1):
        if line and len(line) != num_columns:
            raise UserError(
                f"Expected {num_columns} cells in every row, got {len(line)} in row {number} ('{line[0]}'); "
                "the file may be cut off, or a comma stands in a name without quotes."
            )
        if line:
            yield line


def named_columns(path: Path, names: Sequence[str], *, may_be_empty: str = "") -> Iterator[tuple[str, ...]]:
    """Yields the cells of some columns of a CSV, row by row; those of one of them may be empty.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If a column is not there, or another cell is empty; both are named.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected a CSV with the columns {', '.join(names)}, found no file at {path}.")
    with csv_rows(path) as (columns, lines):
        if missing := [name for name in names if name not in columns]:
            raise UserError(
                f"{path}: Expected the columns {', '.join(names)}, got no {missing[0]} among: {listed(columns)}."
            )
        places = [columns.index(name) for name in names]
        for number, line in enumerate(lines, start=1):
            cells = tuple(line[place].strip() for place in places)
            for name, cell in zip(names, cells, strict=True):
                if not cell and name != may_be_empty:
                    raise UserError(f"{path}: Expected a value in every cell, got no {name} in row {number}.")
            yield cells


def write_csv(concepts: Concepts, path: Path) -> None:
    """Writes the wide table."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([ID, *labels_of(concepts)])
        for row, row_id in enumerate(concepts.ids):
            cells = ["0"] * len(concepts.names)
            for place in concepts.present.indices[concepts.present.indptr[row] : concepts.present.indptr[row + 1]]:
                cells[place] = "1"
            writer.writerow([row_id, *cells])
