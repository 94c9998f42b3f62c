"""Words that apply to an image, joined to a sentence."""

import itertools

import numpy as np
from jaxtyping import Int

from qscore.records import Concepts

MAX_SHARE = 0.95  # of the images: a word of nearly all tells no group apart
NOTHING = "nothing that was looked for"


def telling_columns(concepts: Concepts) -> Int[np.ndarray, " _"]:
    """Returns which concepts apply to 95 % of the samples at most."""
    return np.flatnonzero(np.asarray(concepts.present.sum(0)).ravel() <= MAX_SHARE * len(concepts.ids))


def joined(concepts: Concepts, columns: Int[np.ndarray, " _"]) -> tuple[str, ...]:
    """Returns which of some concepts apply to each sample, in the order of the columns.

    >>> from qscore.interpretability.reverse_probing.concepts import make_concepts
    >>> found = make_concepts(np.array([[True, True], [False, False]]), ["red", "round"], "made up", ["x", "y"])
    >>> joined(found, np.array([0, 1]))
    ('red, round', 'nothing that was looked for')
    """
    names, present = np.array(concepts.names, dtype=object)[columns], concepts.present[:, columns]
    present.sort_indices()
    rows = (present.indices[a:b] for a, b in itertools.pairwise(present.indptr))
    return tuple(", ".join(names[row]) or NOTHING for row in rows)
