"""What a user can ask of the evaluation, checked before anything is computed."""

from pathlib import Path

from qscore.errors import UserError
from qscore.interpretability.forced_choice.words.described import check_captions
from qscore.interpretability.forced_choice.words.sentences import encoder_of
from qscore.interpretability.reverse_probing.clustered import check_options as check_grouping
from qscore.interpretability.reverse_probing.concepts import listed
from qscore.interpretability.reverse_probing.probe import AUTO
from qscore.interpretability.reverse_probing.tables.text import named_columns

LEAST = {
    "per_range": 1,
    "num_references": 1,
    "num_trials": 1,
    "num_answers": 1,
    "num_catch": 0,
    "num_features": 0,
    "ask_features": 0,
}
SWITCHES = ("information", "search_images", "questions")


def check_options(
    captions: object,
    grouping: object,
    num_clusters: object,
    sentence_encoder: object,
    descriptions: object,
    **others: object,
) -> None:
    """Looks whether the evaluation can be done as it is asked for; the options may be anything that a user can write.

    Raises:
        UserError: If one has no meaning, or a file or model that it names cannot be had.
    """
    for name, value in others.items():
        if name in SWITCHES and not isinstance(value, bool):
            raise UserError(f"Expected true or false in {name}, got {value}.")
        if name in LEAST and (not isinstance(value, int) or isinstance(value, bool) or value < LEAST[name]):
            raise UserError(f"Expected whole numbers from {LEAST[name]} in {name}, got {value}.")
    if unknown := sorted(set(others).difference(LEAST, SWITCHES)):
        raise UserError(f"Unknown options: {listed(unknown)}. Known: {', '.join((*LEAST, *SWITCHES))}.")
    check_grouping(grouping, num_clusters, 1, [], AUTO)
    if sentence_encoder != AUTO:
        encoder_of(sentence_encoder)
    if descriptions is not None:
        read_descriptions(Path(str(descriptions)))
    check_captions(captions)


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
