"""Tables 5 and 6: how far pairs of annotators agree, by chance as well, and whether matched names say the same."""

from collections.abc import Callable, Sequence

import numpy as np

from qscore.report.naming.study import NONE, SAID, Grouped, Namings, Table, exact, mean, number

STATISTICS: dict[str, Callable[[np.ndarray], float]] = {"min": np.min, "average": np.mean, "max": np.max}
OF_AGREEMENT = {"agreement": "agreement", "expected": "by chance", "excess": "excess"}
OF_NAMES = {"exact": "Exact compatibility", "subset": "Subset compatibility"}
GLOBAL = "Global average"


def table5(namings: Namings) -> Grouped:
    """Returns the table as the paper prints it, with what chance gives beside every agreement."""
    columns = [(name, shape) for shape in namings.shapes for name in OF_AGREEMENT]
    values = [namings.of_shape(name, shape) for name, shape in columns]
    rows = _rows(
        namings, [*values, namings["pair_jaccard"]], signed=[name == "excess" for name, _ in columns] + [False]
    )
    header = ["Group", "", *(OF_AGREEMENT[name] for name, _ in columns), "index"]
    groups = [("", 2), *((f"Agreement ({SAID[shape]})", len(OF_AGREEMENT)) for shape in namings.shapes)]
    return header, rows, [*groups, ("Jaccard", 1)]


def table6(namings: Namings) -> Grouped:
    """Returns the table as the paper prints it."""
    columns = [(name, shape) for name in OF_NAMES for shape in namings.shapes]
    rows = _rows(namings, [namings.of_shape(*column) for column in columns], signed=[False] * len(columns))
    header = ["Group", "", *(SAID[shape] for _, shape in columns)]
    return header, rows, [("", 2), *((title, len(namings.shapes)) for title in OF_NAMES.values())]


def agreement_csv(namings: Namings) -> Table:
    """Returns every pair of annotators, every shape of families a row."""
    names = ("agreement", "expected", "deviation", "excess", "p_value", "num_permutations", "exact", "subset")
    header = ["group", "first", "second", "num_common", "jaccard", "families", *names]
    annotators, rows = namings["annotator"].tolist(), []
    for pair, both in enumerate(namings["pair_annotators"].tolist()):
        about = [namings.groups[int(namings["pair_group"][pair])], *(str(annotators[place]) for place in both)]
        about += [str(namings["pair_common"][pair]), exact(float(namings["pair_jaccard"][pair]))]
        for place, shape in enumerate(namings.shapes):
            values = [namings[f"pair_{name}"][pair, place].item() for name in names]
            rows.append([*about, shape, *map(exact, values)])
    return header, rows


def confirmed(namings: Namings) -> str:
    """Returns how many of the relations of names people confirmed, in words."""
    named = namings["concept"].tolist()
    differs = [named[a].casefold() != named[b].casefold() for a, b in namings["edge_concepts"].tolist()]
    asked = np.array(differs, bool)
    count = int((asked & namings["edge_is_confirmed"]).sum())
    return (
        f"Of {int(asked.sum())} meetings of concepts whose names differ, people confirmed {count}; a rule of words "
        "judges the others: python -m qscore.study serve has a page to confirm names on."
    )


def _rows(namings: Namings, columns: Sequence[np.ndarray], *, signed: Sequence[bool]) -> list[list[str]]:
    rows, averages = [], []
    for group, title in enumerate(namings.groups):
        if pairs := namings.pairs_of(group):
            cells = [column[pairs] for column in columns]
            averages.append([mean(cell) for cell in cells])
            for place, name in enumerate(STATISTICS):
                texts = [_cell(cell, name, sign) for cell, sign in zip(cells, signed, strict=True)]
                rows.append([title if place == 0 else "", name, *texts])
    over_groups = [mean(np.array(column)) for column in zip(*averages, strict=True)]
    texts = [number(value, signed=sign) for value, sign in zip(over_groups, signed, strict=True)]
    return [*rows, [GLOBAL, "", *texts]]


def _cell(values: np.ndarray, statistic: str, signed: bool) -> str:
    """Deviations are of a sample (divided by n - 1); one pair has none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return NONE
    text = number(float(STATISTICS[statistic](known)), signed=signed)
    if statistic == "average" and len(known) > 1:
        text += f"\u00a0±\u00a0{known.std(ddof=1):.2f}"
    return text
