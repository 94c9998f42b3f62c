"""Published tables whose rows are models, with several measures of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from qscore.report.published.printed import Printed, read_table

LAINA_TABLE_2, LAINA_TABLE_3, LAINA_TABLE_4 = (f"laina2022_table{n}" for n in (2, 3, 4))
LAINA_TABLE_6, LAINA_TABLE_7, LAINA_D1 = "laina2022_table6", "laina2022_table7", "laina2022_d1"
PROXY_TABLE, LIKENESS_TABLE, CAPTION_TABLE = (f"laina2020_table{n}" for n in (3, 4, 5))
ROW_TABLES = (
    *(LAINA_TABLE_2, LAINA_TABLE_3, LAINA_TABLE_4, LAINA_TABLE_6, LAINA_TABLE_7, LAINA_D1),
    *(PROXY_TABLE, LIKENESS_TABLE, CAPTION_TABLE),
)

SAID = {"linear_top1": "linear top-1", "top1": "top-1", "top5": "top-5", "nmi": "NMI", "ami": "AMI", "ari": "ARI"}
SAID |= {"mean_average_precision": "mAP", "num_clusters": "clusters", "dataset": "data set"}
SAID |= {"recall1": "R@1", "recall5": "R@5"}
SAID |= {"sela_caption": "SeLa captions", "sela_count": "count", "moco_caption": "MoCo captions", "moco_count": "count"}


@dataclass(frozen=True)
class PublishedRows(Printed):
    """One table of a paper, a row a model.

    Attributes:
        columns: Measures; `{measure}_sd` is its deviation over clusterings.
        rows: "model", its measures, and what else is said of it; None where the paper says nothing.
        digits: Behind the point, where the paper prints as many of every number; its deviations have two.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    digits: int | None = None

    def points(self, x: str, y: str, **chosen: Any) -> list[tuple[float, float]]:
        """Returns two measures of every row that has both and is of the chosen kind.

        >>> load_rows("laina2022_table2").points("linear_top1", "top1", model="BYOL")
        [(74.4, 58.36)]
        """
        known = [row for row in self.rows if all(row.get(name) == value for name, value in chosen.items())]
        return [(row[x], row[y]) for row in known if row.get(x) is not None and row.get(y) is not None]

    def as_rows(self) -> tuple[list[str], list[list[str]]]:
        """Returns header and rows as printed, with what is said of each model before its numbers."""
        measures = [name for name in self.columns if not name.endswith("_sd")]
        about = [name for name in self.rows[0] if name not in self.columns]
        header = [SAID.get(name, name.replace("_", " ")) for name in [*about, *measures]]
        rows = [
            [*(_plain(row[name]) for name in about), *(self._number(row, m) for m in measures)] for row in self.rows
        ]
        return header, rows

    def as_numbers(self) -> tuple[list[str], list[list[str]]]:
        """Returns the same for a CSV file: deviations in columns of their own, empty where nothing is printed."""
        return list(self.rows[0]), [
            ["" if value is None else str(value) for value in row.values()] for row in self.rows
        ]

    def _number(self, row: Mapping[str, Any], name: str) -> str:
        value, deviation = row[name], row.get(f"{name}_sd")
        if deviation is not None:
            return f"{value:.2f}\u00a0±\u00a0{deviation:.2f}"
        return _plain(value) if value is None or self.digits is None else f"{value:.{self.digits}f}"


@cache
def load_rows(name: str) -> PublishedRows:
    """Returns a table by its name in `ROW_TABLES`.

    Raises:
        UserError: If there is no such table.
    """
    return PublishedRows(**read_table(name, ROW_TABLES, ("cautions", "columns", "rows")))


def _plain(value: Any) -> str:
    return "–" if value is None else str(value)
