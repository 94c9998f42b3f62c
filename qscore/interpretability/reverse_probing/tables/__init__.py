"""Concept tables as files: a row for each sample, a binary column for each concept, by CSV, parquet or npz."""

import logging
from collections.abc import Callable
from pathlib import Path

from qscore.errors import UserError, UserFileNotFoundError, unknown_name
from qscore.interpretability.reverse_probing.concepts import labels_of, listed, without_silent
from qscore.interpretability.reverse_probing.tables.archive import read_npz, write_npz
from qscore.interpretability.reverse_probing.tables.parquet import read_parquet, write_parquet
from qscore.interpretability.reverse_probing.tables.rows import split_label
from qscore.interpretability.reverse_probing.tables.text import read_csv, write_csv
from qscore.records import Concepts

log = logging.getLogger(__name__)

READERS: dict[str, Callable[[Path], Concepts]] = {".csv": read_csv, ".parquet": read_parquet, ".npz": read_npz}
WRITERS = {".csv": write_csv, ".parquet": write_parquet, ".npz": write_npz}
EXTENSIONS = tuple(READERS)

__all__ = ["EXTENSIONS", "load_concepts", "save_concepts"]


def load_concepts(path: Path | str) -> Concepts:
    """Returns the concepts of a table; those of no sample are left out, with a warning that names them.

    - CSV and parquet: a column `id`, and for each concept one of 0 and 1 (or true and false), headed `[group] name`;
      without a group, that is the name of the file. A CSV with the columns `id` and `concept` alone has a row for each
      concept of a sample instead; a sample of none has one row, with an empty concept.
    - npz: arrays `ids`, `names`, perhaps `groups`, and either `present` of shape (sample, concept), or the `indptr`,
      `indices` and `shape` of a compressed sparse row matrix, which `save_concepts` writes.

    The table is read in pieces and kept sparse.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If it cannot be read, has no ids or no concepts, an id or a concept is missing or comes twice, or a
            value is neither 0 nor 1. The message names which.
    """
    file = Path(path)
    read = READERS.get(file.suffix.lower())
    if read is None:
        raise unknown_name("kind of concept table", file.suffix, READERS)
    if not file.is_file():
        raise UserFileNotFoundError(f"Expected a table of concepts, found no file at {file}.")
    try:
        concepts = read(file)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    spoken = without_silent(concepts)
    if not spoken.names:
        raise UserError(
            f"{file}: Expected concepts that apply to a sample, got {len(concepts.names)} that apply to none."
        )
    if silent := sorted(set(labels_of(concepts)).difference(labels_of(spoken))):
        log.warning("%s: %d concepts apply to no sample and are left out: %s.", file, len(silent), listed(silent))
    return spoken


def save_concepts(concepts: Concepts, path: Path | str) -> None:
    """Writes a table that `load_concepts` reads, whole or not at all; npz is the smallest and quickest.

    Raises:
        UserError: If the kind of file is unknown, or a group or name cannot be told from the other in a header.
    """
    file = Path(path)
    write = WRITERS.get(file.suffix.lower())
    if write is None:
        raise unknown_name("kind of concept table", file.suffix, WRITERS)
    written = zip(labels_of(concepts), concepts.groups, concepts.names, strict=True)
    if file.suffix.lower() != ".npz":
        for label, group, name in written:
            if split_label(label, "") != (group, name):
                raise UserError(
                    f"Expected groups without ']' and names without blanks at their ends for {file.suffix}, got "
                    f"'{label}'; rename it, or write .npz."
                )
    write(concepts, file)
