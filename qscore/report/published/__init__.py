"""The numbers that the papers print, each table with its source and with what a reader must know of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from qscore.report.published.printed import Printed, read_table

V2_TABLE_1, V2_TABLE_A1, AAAI_TABLE_1, AAAI_TABLE_2 = "v2_table1", "v2_table_a1", "aaai_table1", "aaai_table2"
TABLES = (V2_TABLE_1, V2_TABLE_A1, AAAI_TABLE_1, AAAI_TABLE_2)


@dataclass(frozen=True)
class PublishedTable(Printed):
    """One table of a paper.

    Attributes:
        trained_on: Data set that all its encoders were trained on, where the rows are other ones.
        settings: What the paper states of the fine-tuning, under the names of the configuration.
        columns: What is printed of each method.
        datasets: Rows: name in the configuration to name in print.
        methods: Name in the configuration to name in print.
        cells: Data set, method and column to number.
    """

    trained_on: str | None
    settings: Mapping[str, Any]
    columns: tuple[str, ...]
    datasets: Mapping[str, str]
    methods: Mapping[str, str]
    cells: Mapping[str, Mapping[str, Mapping[str, float]]]

    def value(self, dataset: str, method: str, column: str) -> float | None:
        """Returns a number as printed, or None where the paper has none.

        >>> load_published("v2_table1").value("cifar10", "moco", "Q-Score")
        92.77
        """
        return self.cells.get(dataset, {}).get(method, {}).get(column)


@cache
def load_published(name: str) -> PublishedTable:
    """Returns a table by its name in `TABLES`.

    Raises:
        UserError: If there is no such table.
    """
    return PublishedTable(**read_table(name, TABLES, ("cautions", "columns")))
