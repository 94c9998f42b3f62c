"""What words on the command line say of concepts and captions: names of choices, or files of the user's own."""

import re
from collections.abc import Collection
from pathlib import Path

from qscore.application.data_words import QUOTES, is_there, quoted, words

OF_A_FILE = ("captions:", "namings:")
TAKE_CONCEPTS = ("reverse_probing", "reverse_transfer")
FORCED_CHOICE = "evaluation.forced_choice"


def concept_overrides(value: str, arguments: Collection[str]) -> list[str]:
    """Returns the overrides for `concepts=`, with absolute paths: a run may be evaluated from elsewhere.

    Args:
        value: A list in brackets, or a single word; see `gather` of reverse probing.
        arguments: All of the command: which of the evaluations that take concepts is asked for.

    >>> concept_overrides("[labels,colour]", ["evaluation=reverse_probing"])
    ["evaluation.reverse_probing.concepts=['labels','colour']"]
    """
    chosen = [argument for argument in arguments if argument.startswith("evaluation=")]
    asked = [name for name in TAKE_CONCEPTS if any(name in argument for argument in chosen)]
    lists = [_quoted_list(part) for part in _swept(value)]
    return [f"evaluation.{name}.concepts={','.join(lists)}" for name in asked or TAKE_CONCEPTS[:1]]


def caption_overrides(name: str, value: str) -> list[str]:
    """Returns the overrides for `captions=` and `descriptions=` of forced choice, with absolute paths.

    Args:
        name: "captions" or "descriptions".
        value: A word, a file, a list in brackets, or null.

    >>> caption_overrides("captions", "labels"), caption_overrides("captions", "[colour,shape]")
    (["evaluation.forced_choice.captions='labels'"], ["evaluation.forced_choice.captions=['colour','shape']"])
    """
    key = f"{FORCED_CHOICE}.{name}"
    if value in ("", "null"):
        return [f"{key}=null"]
    return [
        f"{key}={_quoted_list(value) if value.startswith('[') else quoted(_with_absolute_path(value.strip(QUOTES)))}"
    ]


def _swept(value: str) -> list[str]:
    """The lists in brackets that a sweep takes one after the other; the whole value where it is no sweep."""
    return re.findall(r"\[[^\]]*\]", value) if re.fullmatch(r"\[[^\]]*\](,\[[^\]]*\])+", value) else [value]


def _quoted_list(value: str) -> str:
    chosen = [] if value in ("", "null") else words(value)
    return f"[{','.join(quoted(_with_absolute_path(word)) for word in chosen)}]"


def _with_absolute_path(word: str) -> str:
    kind, colon, rest = word.partition(":") if word.startswith(OF_A_FILE) else ("", "", word)
    file = Path(rest).expanduser()
    return f"{kind}{colon}{file.absolute()}" if "/" in rest or is_there(file) else word
