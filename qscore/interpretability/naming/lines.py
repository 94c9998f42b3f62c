"""Files of lines of JSON whose first line says what they are."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import parse_object, write_text

Record = TypeVar("Record")
Row = dict[str, Any]


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a file, whole or not at all."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def read_lines(path: Path, kind: str, version: int) -> tuple[Row, list[tuple[Row, str]]]:
    """Returns the first line without format and version, and the others, each with where it stands.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If a line is no JSON object, or the first one says something else.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected a file of {kind}, found none at {path}.")
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"Expected a readable file of {kind}, got {path}: {error}.") from error
    places = [(line, f"line {number} of {path.name}") for number, line in enumerate(lines, start=1) if line.strip()]
    rows = [(parse_object(line, where), where) for line, where in places]
    head = rows[0][0] if rows else {}
    if (head.pop("format", None), head.pop("version", None)) != (kind, version):
        raise UserError(f"Expected a file whose first line has format '{kind}' and version {version}, got {path}.")
    return head, rows[1:]


def record_of(kind: type[Record], row: Row, where: str) -> Record:
    """Returns a row as a dataclass of texts, numbers and tuples of texts.

    Raises:
        UserError: If a field is missing, unknown or of another type.
    """
    hints = get_type_hints(kind)
    if row.keys() != hints.keys():
        names = ", ".join(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        raise UserError(f"Expected the fields {names} in {where}, got {', '.join(row)}.")
    values = {name: _as(hint, row[name]) for name, hint in hints.items()}
    if wrong := [name for name, value in values.items() if value is None]:
        raise UserError(f"Expected another kind of value as {wrong[0]} in {where}, got {row[wrong[0]]!r}.")
    return kind(**values)


def _as(kind: Any, value: object) -> object:
    """The value as it is kept; None where it is of another type."""
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < float("inf") and abs(value) < 1 << 1000 else None
    if kind == tuple[str, ...]:
        return tuple(value) if isinstance(value, list) and all(isinstance(part, str) for part in value) else None
    return value if type(value) is kind else None
