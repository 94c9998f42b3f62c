"""What a user can ask of the evaluation, checked before anything is computed."""

from pathlib import Path

from qscore.errors import UserError
from qscore.interpretability.forced_choice.words.described import check_captions
from qscore.interpretability.forced_choice.words.sentences import check_encoder
from qscore.interpretability.forced_choice.words.written import read_descriptions
from qscore.interpretability.reverse_probing.clustered import check_options as check_grouping
from qscore.interpretability.reverse_probing.concepts import listed
from qscore.interpretability.reverse_probing.probe import AUTO

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
    check_encoder(sentence_encoder)
    if descriptions is not None:
        read_descriptions(Path(str(descriptions)))
    check_captions(captions)
