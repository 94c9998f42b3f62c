"""What every published table says of itself, whatever its rows are, and its file."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from qscore.errors import unknown_name


@dataclass(frozen=True)
class Printed:
    """A table of a paper.

    Attributes:
        table: As the paper calls it.
        version: Of the paper.
        source: Whom to cite.
        url: Where it is.
        caption: What it shows, in our words.
        unit: Of its numbers.
        cautions: What the numbers do not show, and what could not be read or was read into them.
    """

    table: str
    version: str
    source: str
    url: str
    caption: str
    unit: str
    cautions: tuple[str, ...]

    @property
    def title(self) -> str:
        """Table and version."""
        return f"{self.table}, {self.version}"


def read_table(name: str, known: Collection[str], lists: Collection[str]) -> dict[str, Any]:
    """Returns the content of the file of a table, with some of its lists as tuples.

    Raises:
        UserError: If there is no such table.
    """
    if name not in known:
        raise unknown_name("published table", name, known)
    content: dict[str, Any] = json.loads(files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return content | {key: tuple(content[key]) for key in lists}
