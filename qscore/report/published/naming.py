"""The published tables of interactive naming."""

from functools import cache

from qscore.report.published.printed import read_table
from qscore.report.published.rows import PublishedRows

NAMING_TABLES = tuple(f"hamidi2018_table{number}" for number in range(1, 7))


@cache
def load_naming_table(name: str) -> PublishedRows:
    """Returns a table by its name in `NAMING_TABLES`.

    Raises:
        UserError: If there is no such table.

    >>> load_naming_table("hamidi2018_table1").rows[0]["l"]
    51
    """
    return PublishedRows(**read_table(name, NAMING_TABLES, ("cautions", "columns", "rows")))
