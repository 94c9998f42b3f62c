"""A table of a paper with the numbers measured here beside those published."""

from dataclasses import dataclass
from statistics import fmean, stdev

from qscore.report.collect import BASELINE, CONTROL, REGULARIZED
from qscore.report.published import PublishedTable

COLUMNS = (BASELINE, CONTROL, REGULARIZED)
NOT_MEASURED, NOT_PUBLISHED = "not measured", "not published"


@dataclass(frozen=True)
class Cell:
    """One number of a paper, and those measured here.

    Attributes:
        published: As printed, in percent.
        measured: In percent, one a run.
    """

    published: float | None
    measured: tuple[float, ...]

    def texts(self) -> tuple[str, str]:
        """Returns the published and the measured number as printed: the mean over runs, and how many these are."""
        published = NOT_PUBLISHED if self.published is None else f"{self.published:.2f}"
        if len(self.measured) < 2:
            return published, f"{self.measured[0]:.2f} (1 run)" if self.measured else NOT_MEASURED
        mean, spread = fmean(self.measured), stdev(self.measured)
        return published, f"{mean:.2f} ± {spread:.2f} ({len(self.measured)} runs)"


@dataclass(frozen=True)
class Grid:
    """A table of a paper with the measured numbers beside the published ones.

    Attributes:
        table: The published one.
        methods: Name in the configuration to name in print, those of the paper first.
        rows: Label, and the cells of every method in the order of `COLUMNS`.
    """

    table: PublishedTable
    methods: dict[str, str]
    rows: list[tuple[str, list[Cell]]]

    @property
    def columns(self) -> tuple[str, ...]:
        """What there is of every method."""
        return COLUMNS

    @property
    def is_measured(self) -> bool:
        """Whether any cell was measured here."""
        return any(cell.measured for _, cells in self.rows for cell in cells)

    @property
    def pairs(self) -> list[tuple[str, str, float | None, tuple[float, ...]]]:
        """Label with the method, column, published and measured numbers, where a method has both in a row.

        The control, which no paper publishes, comes along: without it the other two say little.
        """
        found: list[tuple[str, str, float | None, tuple[float, ...]]] = []
        for label, cells in self.rows:
            for i, name in enumerate(self.methods.values()):
                own = cells[len(COLUMNS) * i :][: len(COLUMNS)]
                if any(cell.published is not None and cell.measured for cell in own):
                    pairs = [(column, cell) for column, cell in zip(COLUMNS, own, strict=True) if cell.measured]
                    found += [(f"{label}: {name}", column, cell.published, cell.measured) for column, cell in pairs]
        return found

    def as_rows(self) -> tuple[list[str], list[list[str]]]:
        """Returns header and rows, numbers as printed."""
        keys = [f"{name} {column}" for name in self.methods.values() for column in COLUMNS]
        header = ["Data set", *(f"{key}, {kind}" for key in keys for kind in ("published", "measured"))]
        return header, [[label, *(text for cell in cells for text in cell.texts())] for label, cells in self.rows]
