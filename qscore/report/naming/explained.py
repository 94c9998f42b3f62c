"""Table 4: which names explain the images of a group, by annotator."""

from collections.abc import Mapping

from qscore.interpretability.naming.explanations import summary_line
from qscore.report.naming.study import Namings, Table, exact


def tables4(namings: Namings) -> list[tuple[str, Table]]:
    """Returns a table for each annotator, the one who named most first."""
    found: dict[int, list[list[str]]] = {}
    for group, annotator, counts in namings.explanations():
        found.setdefault(annotator, []).append([namings.groups[group], line(counts)])
    named = (namings["activation_concept"] >= 0).sum(1)
    order = sorted(found, key=lambda place: (-named[place], place))
    return [(namings.annotators[place], (["Group", "Visual concept combinations"], found[place])) for place in order]


def table4_csv(namings: Namings) -> Table:
    """Returns every explanation."""
    rows = []
    for group, annotator, counts in namings.explanations():
        total = sum(counts.values())
        about = [namings.groups[group], str(namings["annotator"][annotator])]
        rows += [[*about, "; ".join(names), str(n), exact(n / total)] for names, n in counts.items()]
    return ["group", "annotator", "names", "images", "share"], rows


def line(counts: Mapping[tuple[str, ...], int]) -> str:
    """Returns a cell of the table.

    >>> line({("eye",): 45, ("head",): 3, (): 3})
    "('eye') 88.2353% , ('head') 5.8824% , ('unlabeled') 5.8824%"
    """
    return summary_line({f"{names} {i}": names for names, count in counts.items() for i in range(count)})
