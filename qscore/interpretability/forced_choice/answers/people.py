"""What people said in a study, as a result that tables, figures and cards are made of (tables 1 and 2, figs. 2, 4, 5).

Laina, Fong and Vedaldi, NeurIPS 2020, arXiv 2010.14551. Answers of annotators that catch trials leave out do not count,
nor do catch trials.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from qscore.interpretability.forced_choice.answers.annotators import annotators
from qscore.interpretability.forced_choice.answers.arrays import (
    cell_arrays,
    column_arrays,
    group_arrays,
    pair_arrays,
    rating_arrays,
)
from qscore.interpretability.forced_choice.answers.metrics import Cells, features, key, means
from qscore.interpretability.forced_choice.answers.paired import Paired, paired
from qscore.interpretability.forced_choice.answers.parts import ALL, Part, in_order, parts
from qscore.interpretability.forced_choice.answers.rated import ratings
from qscore.interpretability.forced_choice.answers.said import Column, Record, Said, by_column, counted
from qscore.interpretability.forced_choice.answers.scores import score
from qscore.interpretability.forced_choice.coherence import CONFIDENCE
from qscore.interpretability.forced_choice.questions.group_facts import StudyGroups
from qscore.results import Result

EVALUATION = "people"
FEW = 10  # groups: below, even the interval over classes is too narrow


def people(
    records: Iterable[Record],
    known: StudyGroups | None = None,
    *,
    name: str = "",
    images: Mapping[str, np.ndarray] | None = None,
    notes: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Result:
    """Returns coherence, describability, agreement and ratings of a study.

    Args:
        records: Of its answers, as `python -m qscore.study export` writes them as lines of JSON. Those of older studies
            may lack `negatives` and `described_by`.
        known: What is known of the groups, by default nothing: then there is one part, of all groups.
        name: Of the study, as the method in tables.
        images: Arrays of pictures for cards, as of `card_images`.
        notes: More that a reader must see.
        confidence: Of all intervals.
        seed: Of all draws of classes.

    Raises:
        UserError: If there is no answer that counts.
    """
    known = StudyGroups() if known is None else known
    given = list(records)
    kept = counted(given)
    groups = in_order(record["group"] for record in kept)
    said, rated, divided = by_column(kept, groups), ratings(kept, groups), parts(groups, known)
    cells = _cells(divided, said, confidence, seed)
    pairs = _pairs(said, groups, divided, confidence, seed)
    who_metrics, who_arrays, who_notes = annotators(given)
    arrays = {
        **column_arrays(said),
        **cell_arrays(divided, cells),
        **group_arrays(groups, known, kept, cells, divided, len(said)),
        **pair_arrays(pairs),
        **rating_arrays(divided, rated),
        **who_arrays,
        **(images or {}),
    }
    metrics = {**who_metrics, "num_groups": len(groups), **means(divided, cells, said)}
    metrics |= features(divided, cells, said, [known.of(group).size for group in groups], confidence, seed)
    settings = {"study": name, "title": known.title, "source": known.source, "confidence": confidence, "seed": seed}
    told = [*notes, *who_notes, *_few(groups, said, divided, cells)]
    return Result(EVALUATION, metrics, settings, arrays, tuple(told))


def _cells(divided: list[Part], said: Mapping[Column, Said], confidence: float, seed: int) -> Cells:
    found = {}
    for row, part in enumerate(divided):
        for place, of_column in enumerate(said.values()):
            trials = [trial for trial in of_column.trials.values() if trial.group in part.groups]
            if trials:
                found[row, place] = score(trials, of_column.answers, confidence=confidence, seed=seed)
    return found


def _pairs(
    said: Mapping[Column, Said], groups: list[str], divided: list[Part], confidence: float, seed: int
) -> dict[tuple[str, int, int], Paired]:
    """Every two columns that ask about the same queries of a kind of groups."""
    queries = [of_column.by_query(groups) for of_column in said.values()]
    found = {}
    for part in (part for part in divided if part.name == ALL):
        names = {groups[place] for place in part.groups}
        own = [{query: about for query, about in each.items() if about.group in names} for each in queries]
        for second in range(len(own)):
            for first in range(second):
                both = paired(own[first], own[second], confidence=confidence, seed=seed)
                if both is not None:
                    found[part.kind, first, second] = both
    return found


def _few(groups: list[str], said: Mapping[Column, Said], divided: list[Part], cells: Cells) -> list[str]:
    """What a reader of small samples must see."""
    whole = [(place, cell) for (row, place), cell in cells.items() if divided[row].name == ALL]
    undefined = dict.fromkeys(key(list(said)[place]) for place, cell in whole if np.isnan(cell.alpha))
    notes = [f"Krippendorff's alpha is not defined for {', '.join(undefined)}: too few answers, or all of one side."]
    few = f"Only {len(groups)} groups were asked about: what holds for them says little about others like them."
    return [*(notes if undefined else []), *([few] if len(groups) < FEW else [])]
