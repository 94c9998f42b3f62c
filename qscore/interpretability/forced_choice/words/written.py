"""What people wrote of groups, from the one file that an evaluation and a study of files read alike."""

from pathlib import Path

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.concepts import listed
from qscore.interpretability.reverse_probing.tables.text import named_columns


def read_descriptions(path: Path) -> dict[int, str]:
    """Returns what people wrote of groups, from a CSV with the columns `group` and `description`.

    An empty description is none.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If a column is not there, a group is no whole number or comes twice, or nothing is described.
    """
    found: dict[int, str] = {}
    for group, text in named_columns(path, ("group", "description"), may_be_empty="description"):
        if not group.isdecimal():
            raise UserError(f"Expected numbers of groups in {path.name}, got '{group}'; write those of the cards.")
        if int(group) in found:
            raise UserError(f"Expected every group once in {path.name}, got {group} again; keep one row of each.")
        if text:
            found[int(group)] = text
    if not found:
        raise UserError(f"Expected descriptions of groups in {path.name}, got none; write rows of group,description.")
    return found


def check_described(descriptions: dict[int, str], groups: list[int]) -> None:
    """Looks whether what people described is there.

    Raises:
        UserError: If a group is not.
    """
    if unknown := [str(group) for group in sorted(set(descriptions).difference(groups))]:
        raise UserError(
            f"Expected descriptions of the {len(groups)} groups that there are, from {groups[0]} to {groups[-1]}, got "
            f"some of {listed(unknown)}; another seed or number of clusters makes other groups."
        )
