"""Captions of classes by common words instead of embeddings: eq. 4 with ROUGE-L."""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from qscore.interpretability.forced_choice.captions import TIE
from qscore.interpretability.membership import Groups, members_by_group

WORDS = re.compile(r"[a-z0-9]+")
MAX_NEGATIVES = 1000
PADDING = -1

Tokens = Int[np.ndarray, "caption word"]


def class_captions_by_rouge(
    captions: Sequence[str],
    clusters: Groups,
    *,
    negatives: bool = True,
    max_negatives: int = MAX_NEGATIVES,
    seed: int = 0,
) -> Int[np.ndarray, " cluster"]:
    """Returns which caption describes each class best, by d = 1 - ROUGE-L F (eq. 4, a row of table 3).

    The length of a common subsequence does not come from sums, so that captions are compared one by one: within a class
    all, with those outside of it a sample.

    Args:
        captions: One an image.
        clusters: Class of each image, -1 for none; or any other grouping.
        negatives: With the second term, or without.
        max_negatives: More captions outside of a class than this are sampled.
        seed: Of that sample.

    Returns:
        As `class_captions`.

    Raises:
        UserError: If numbers of captions and images differ, or no image is in a class.

    >>> captions = ["a dog", "an animal", "an animal", "a cat", "an animal", "an animal"]
    >>> class_captions_by_rouge(captions, np.array([0, 0, 0, 1, 1, 1])).tolist()
    [0, 3]
    """
    members = members_by_group(clusters, len(captions))
    distinct, places = np.unique(np.array(captions, dtype=object), return_inverse=True)
    tokens = _tokens(distinct.tolist())
    chosen = []
    for group, own in tqdm(members.items(), desc="Captions by ROUGE-L", unit="group", leave=False):
        candidates, back, times = np.unique(places[own], return_inverse=True, return_counts=True)
        near = _similarities(tokens, candidates, candidates)
        # 1 - similarity summed over the others of the class: a caption is no other of itself, even if it has no word
        score = (len(own) - 1 - (near @ times - near.diagonal())) / len(own)
        outside = np.setdiff1d(np.arange(len(captions)), own, assume_unique=True)
        if negatives and len(outside):
            if len(outside) > max_negatives:
                outside = np.random.default_rng((seed, group)).choice(outside, max_negatives, replace=False)
            others, weights = np.unique(places[outside], return_counts=True)
            score -= 1 - _similarities(tokens, candidates, others) @ weights / len(outside)
        of_own = score[back]
        chosen.append(own[np.flatnonzero(of_own <= of_own.min() + TIE)[0]])
    return np.array(chosen)


def rouge_l(first: str, second: str) -> float:
    """Returns the ROUGE-L F measure of two captions: 2 L / (m + n), L words in common in the same order.

    Words are runs of letters and digits in lower case, without stemming (Lin, Text Summarization Branches Out, 2004).
    0 where either has no word.

    >>> rouge_l("A dog in the grass", "the dog sits in grass")   # dog in grass
    0.6
    """
    return float(_similarities(_tokens([first, second]), np.array([0]), np.array([1]))[0, 0])


def _tokens(captions: Sequence[str]) -> Tokens:
    """Numbers of the words of each caption, a row each, filled up with `PADDING`."""
    known: dict[str, int] = {}
    rows = [[known.setdefault(word, len(known)) for word in WORDS.findall(caption.lower())] for caption in captions]
    found = np.full((len(rows), max([1, *map(len, rows)])), PADDING, dtype=np.int32)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return found


def _similarities(tokens: Tokens, of: Int[np.ndarray, " a"], to: Int[np.ndarray, " b"]) -> Float[np.ndarray, "a b"]:
    """ROUGE-L F of each of some captions with each of others."""
    lengths = (tokens != PADDING).sum(1)
    others = tokens[to][:, : max(1, lengths[to].max())]
    common = np.stack([_common(tokens[place][: lengths[place]], others) for place in of])
    similar: np.ndarray = 2 * common / np.maximum(1, lengths[of][:, None] + lengths[to][None])
    return similar


def _common(words: Int[np.ndarray, " length"], others: Tokens) -> Int[np.ndarray, " caption"]:
    """Length of the longest common subsequence with each of some captions, by one row of the table after the other."""
    row = np.zeros((len(others), others.shape[1] + 1), dtype=np.int16)
    for word in words:
        longer = np.where(others == word, row[:, :-1] + 1, row[:, 1:])
        row[:, 1:] = np.maximum.accumulate(longer, axis=1)
    return row[:, -1].astype(int)
