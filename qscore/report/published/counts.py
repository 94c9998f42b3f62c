"""Published tables of human studies, as the counts of right answers that they were printed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from qscore.interpretability.forced_choice.coherence import Coherence, coherence
from qscore.report.published.printed import Printed, read_table

COHERENCE_TABLE, DESCRIBABILITY_TABLE = "laina2020_table1", "laina2020_table2"
COUNT_TABLES = (COHERENCE_TABLE, DESCRIBABILITY_TABLE)
SAID = {
    "random": "Semantic coherence (R)",
    "hard": "Semantic coherence (H)",
    "human": "Describability (human)",
    "automatic": "Describability (auto)",
}


@dataclass(frozen=True)
class PublishedCounts(Printed):
    """One table of a paper, a row a model and a range of purity.

    Attributes:
        columns: Conditions; `{condition}_alpha` is the printed agreement, as a fraction.
        rows: "model", "purity", "num_answers" and the right answers under each condition; None where none were asked.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]

    def cell(self, model: str, purity: str | None, column: str) -> Coherence | None:
        """Returns the share of right answers with its interval, recomputed; None where there is none.

        >>> cell = load_counts("laina2020_table1").cell("SeLa", "(0.3, 0.4]", "random")
        >>> f"{cell.mean:.3f} [{cell.low:.3f}, {cell.high:.3f}]"
        '0.718 [0.680, 0.754]'
        """
        found = [row for row in self.rows if (row["model"], row["purity"]) == (model, purity)]
        return _coherence(found[0], column) if found else None

    def as_rows(self) -> tuple[list[str], list[list[str]]]:
        """Returns header and rows as printed: mean, interval and alpha in percent under each condition."""
        about = ["Method", "Purity range"]
        header = about + [f"{SAID[name]}: {part}" for name in self.columns for part in ("mean", "95% CI", "IRR")]
        return header, [
            [row["model"], _plain(row["purity"]), *(text for name in self.columns for text in _texts(row, name))]
            for row in self.rows
        ]


@cache
def load_counts(name: str) -> PublishedCounts:
    """Returns a table by its name in `COUNT_TABLES`.

    Raises:
        UserError: If there is no such table.
    """
    return PublishedCounts(**read_table(name, COUNT_TABLES, ("cautions", "columns", "rows")))


def _coherence(row: Mapping[str, Any], column: str) -> Coherence | None:
    return None if row[column] is None else coherence(row[column], row["num_answers"])


def _texts(row: Mapping[str, Any], column: str) -> tuple[str, str, str]:
    found, alpha = _coherence(row, column), row[f"{column}_alpha"]
    if found is None:
        return ("–",) * 3
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.mean:.1f}", f"[{low:.1f}, {high:.1f}]", f"{100 * alpha:.1f}"


def _plain(value: str | None) -> str:
    return "–" if value is None else value
