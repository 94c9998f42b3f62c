"""What people said in one study, read from its result."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from qscore.report.published.counts import SAID
from qscore.results import Result

IMAGES, DESCRIPTION, HARD = "images", "description", "hard"
ALL, BANDS = "all", ("discriminative", "outside")
ORDER = (IMAGES, DESCRIPTION), ("random", HARD), ("human", "automatic")


class Column(NamedTuple):
    """What people were shown: condition, kind of negatives, and whose words; "" where that is not known."""

    condition: str
    negatives: str
    described_by: str

    @property
    def title(self) -> str:
        """As the paper's tables call it.

        >>> Column("images", "hard", "").title, Column("description", "random", "automatic").title
        ('Semantic coherence (H)', 'Describability (auto)')
        """
        if self.condition == IMAGES:
            return SAID.get(self.negatives, "Semantic coherence")
        plain = SAID.get(self.described_by, f"Describability ({self.described_by})" if self.described_by else "")
        words = plain or "Describability"
        return f"{words}, hard negatives" if self.negatives == HARD else words

    @property
    def order(self) -> tuple[Any, ...]:
        """Sorts columns as the paper does."""
        return *((o.index(v) if v in o else len(o)) for o, v in zip(ORDER, self, strict=True)), *self


@dataclass(frozen=True)
class Cell:
    """Right answers of some groups; the ends are NaN where they are not defined.

    Attributes:
        correct: Right answers.
        answers: All.
        num_groups: That have any.
        ends: Of the Clopper-Pearson interval: for these groups.
        class_ends: Of the bootstrap over groups: for others like them.
        alpha: Krippendorff's.
    """

    correct: int
    answers: int
    num_groups: int
    ends: tuple[float, float]
    class_ends: tuple[float, float]
    alpha: float

    @property
    def mean(self) -> float:
        """Share of right answers."""
        return self.correct / self.answers


@dataclass(frozen=True)
class Study:
    """One study.

    Attributes:
        result: Its `people` result.
    """

    result: Result

    @property
    def name(self) -> str:
        """As the method in tables."""
        return str(self.result.settings.get("study") or self.result.settings.get("source") or "study")

    def __getitem__(self, name: str) -> np.ndarray:
        return self.result.arrays[name]

    @property
    def columns(self) -> list[Column]:
        """In the order of the arrays."""
        names = ("column_condition", "column_negatives", "column_described_by")
        return [Column(*map(str, row)) for row in zip(*(self[name].tolist() for name in names), strict=True)]

    @property
    def parts(self) -> list[str]:
        """Names of the parts; of several kinds of groups with the kind in front."""
        named = zip(self["part_kind"].tolist(), self["part"].tolist(), strict=True)
        return [f"{self.named(kind)}: {name}" if self._has_kinds else name for kind, name in named]

    def named(self, kind: str) -> str:
        """Returns the name of a kind of groups, which among others has one even if it is not known."""
        return kind or ("other" if self._has_kinds else "")

    @property
    def _has_kinds(self) -> bool:
        return len(set(self["part_kind"].tolist())) > 1

    def cells(self) -> dict[tuple[int, Column], Cell]:
        """Returns every cell by the place of its part and its column."""
        columns, found = self.columns, {}
        for i, (part, column) in enumerate(zip(self["cell_part"], self["cell_column"], strict=True)):
            correct, answers, num_groups = (int(self[f"cell_{name}"][i]) for name in ("correct", "answers", "groups"))
            ends, class_ends = ((float(self[low][i]), float(self[high][i])) for low, high in ENDS)
            alpha = float(self["cell_alpha"][i])
            found[int(part), columns[column]] = Cell(correct, answers, num_groups, ends, class_ends, alpha)
        return found

    def scores(self, column: Column) -> Iterator[tuple[int, int, int, float, float]]:
        """Yields place of the group, right answers, answers and both ends, of every group with answers."""
        if column not in self.columns:
            return
        at = self.columns.index(column)
        for place in np.flatnonzero(self["score_answers"][:, at]).tolist():
            correct, answers = (int(self[f"score_{name}"][place, at]) for name in ("correct", "answers"))
            yield place, correct, answers, float(self["score_low"][place, at]), float(self["score_high"][place, at])


ENDS = ("cell_low", "cell_high"), ("cell_class_low", "cell_class_high")


def all_columns(studies: list[Study], condition: str | None = None) -> list[Column]:
    """Returns the columns of all studies, in the paper's order."""
    found = {column for study in studies for column in study.columns}
    return sorted((c for c in found if condition in (None, c.condition)), key=lambda column: column.order)
