"""Parquet files, by pyarrow where it is installed."""

from pathlib import Path
from typing import Any

import numpy as np

from qscore.errors import UserError
from qscore.files import written_whole
from qscore.interpretability.reverse_probing.concepts import labels_of
from qscore.interpretability.reverse_probing.tables.rows import ID, Rows, binary, column_of_ids, not_binary
from qscore.records import Concepts

ROWS = 4096


def read_parquet(path: Path) -> Concepts:
    """Returns the concepts of a parquet file; see `load_concepts`."""
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            columns = [str(name) for name in file.schema_arrow.names]
            place = column_of_ids(columns)
            table = Rows([column for i, column in enumerate(columns) if i != place], path.stem)
            for batch in file.iter_batches(batch_size=ROWS):
                _add(batch, place, table)
    except UserError:
        raise
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise UserError(f"Expected a parquet file, this one cannot be read: {error}.") from error
    return table.concepts()


def _add(batch: Any, place: int, table: Rows) -> None:
    values = batch.column(place).to_pylist()
    for row, value in enumerate(values, start=len(table.ids) + 1):
        if not isinstance(value, int | str | None):
            raise UserError(f"Expected ids of text or whole numbers, got {value!r} in row {row}.")
    ids = ["" if value is None else str(value) for value in values]
    present = np.empty((len(ids), len(table.columns)), dtype=bool)
    for i, (name, column) in enumerate(
        zip(table.columns, batch.columns[:place] + batch.columns[place + 1 :], strict=True)
    ):
        if column.null_count:
            row = column.is_null().to_pylist().index(True)
            raise not_binary(None, name, ids[row] or f"in row {len(table.ids) + row + 1}")
        present[:, i] = binary(column.to_numpy(zero_copy_only=False), name, ids)
    for row_id, concepts in zip(ids, present, strict=True):
        table.add(row_id, np.flatnonzero(concepts).tolist())


def write_parquet(concepts: Concepts, path: Path) -> None:
    """Writes a column of text and boolean ones."""
    arrow, parquet = _pyarrow()
    by_concept = concepts.present.tocsc()
    columns = [arrow.array(concepts.ids, arrow.string())]
    for i in range(len(concepts.names)):
        column = np.zeros(len(concepts.ids), dtype=bool)
        column[by_concept.indices[by_concept.indptr[i] : by_concept.indptr[i + 1]]] = True
        columns.append(arrow.array(column))
    with written_whole(path) as temporary:
        parquet.write_table(arrow.table(columns, names=[ID, *labels_of(concepts)]), temporary)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            "Parquet files need pyarrow, which is not installed: pip install 'qscore[parquet]', or give a CSV or npz."
        ) from error
    return pyarrow, parquet
