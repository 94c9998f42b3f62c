"""The words of captions as concepts."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.experts.words import table_of
from qscore.interpretability.reverse_probing.tables.text import named_columns
from qscore.records import Concepts

MIN_COUNT = 5
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Ours, since larger lists hold words that can be seen ("fire", "mill", "side").
STOP = """
a an the this that these those some any each every no not and or but nor so as if than then of in on at by to from
with without into onto over under near for about up down out off through between among is are was were be been being
am has have had do does did will would can could may might shall should must it its it's he him his she her they
them their there here we us our you your i me my who whom whose which what when where while how very too also just
only other another such own same both all more most several
"""
STOP_WORDS = frozenset(STOP.split())


def concepts_of_captions(
    captions: Mapping[str, str | Sequence[str]],
    *,
    ids: Iterable[str] = (),
    min_count: int = MIN_COUNT,
    stop_words: Iterable[str] = STOP_WORDS,
    group: str = "captions",
) -> Concepts:
    """Returns the words that stand in the captions of samples, in lower case and without stop words.

    Args:
        captions: Of each sample by its id, one or several.
        ids: Samples that may be without a caption, and so without a word.
        min_count: A word is kept if it is said of at least as many samples.
        stop_words: Left out; English function words by default.
        group: Of the concepts.

    Raises:
        UserError: If no word is said often enough.

    >>> found = concepts_of_captions({"1": "A red bus.", "2": ["The bus", "a bus stop"]}, min_count=2)
    >>> found.names, found.present.toarray().astype(int).tolist()
    (('bus',), [[1], [1]])
    """
    stopped = {word.casefold() for word in stop_words}
    said = {row_id: _words(text) - stopped for row_id, text in captions.items()}
    counts = Counter(word for words in said.values() for word in words)
    kept = {word for word, times in counts.items() if times >= min_count}
    if not kept:
        raise UserError(
            f"Expected words in the captions of at least {min_count} samples, got none in those of {len(said)}; "
            "lower min_count."
        )
    return table_of({row_id: {(group, word) for word in words & kept} for row_id, words in said.items()}, ids)


def _words(captions: str | Sequence[str]) -> set[str]:
    texts = [captions] if isinstance(captions, str) else captions
    return {word.casefold() for text in texts for word in WORD.findall(text)}


def load_captions(path: Path | str, *, min_count: int = MIN_COUNT) -> Concepts:
    """Returns the words in the captions of a file; see `read_captions` and `concepts_of_captions`."""
    return concepts_of_captions(read_captions(path), min_count=min_count)


def read_captions(path: Path | str) -> dict[str, list[str]]:
    """Returns the captions of each sample from a CSV with the columns `id` and `caption`, a row each.

    An empty caption makes a sample known of which nothing is said.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If a column is not there, or an id is empty.
    """
    captions: dict[str, list[str]] = {}
    for row_id, caption in named_columns(Path(path), ("id", "caption"), may_be_empty="caption"):
        captions.setdefault(row_id, []).append(caption)
    return captions
