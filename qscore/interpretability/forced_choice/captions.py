"""One caption for a whole class: that of one of its images, near to the others and far from all outside (eq. 4)."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array, issparse
from sklearn.preprocessing import normalize

from qscore.errors import UserError
from qscore.interpretability.forced_choice.words.sentences import Embeddings
from qscore.interpretability.membership import Groups, members_by_group

TIE = 1e-10  # scores nearer than this are equal: the same sums in another order


def class_captions(
    embeddings: Embeddings, clusters: Groups, *, negatives: bool = True, unique: bool = False
) -> Int[np.ndarray, " cluster"]:
    """Returns which caption describes each class best, by cosine distance of sentence embeddings (eq. 4).

    D_c = argmin over s in S_c of 1/|S_c| sum of d(s, s+) over the others of S_c - 1/|S - S_c| sum of d(s, s-) over all
    that are not in S_c, with d = 1 - cosine. The sums are products with sums of vectors, so that the cost is that of
    reading the embeddings once: exact, O(N n).

    Args:
        embeddings: psi(s) of the caption of each image, of any length, dense or sparse. A zero vector, of a caption
            without a known word, is at distance 1 from all.
        clusters: Class of each image, -1 for none (its caption is outside of all); or any other grouping.
        negatives: With the second term, or without.
        unique: Each caption counts once in S_c and in S, as in a set. By default once an image: the paper does not say.

    Returns:
        Position of the chosen caption, of each class that has images, in ascending order of its number. Of equally good
        ones the first.

    Raises:
        UserError: If numbers of captions and images differ, a number is not finite, or no image is in a class.

    >>> dog, cat, animal = [1.0, 0.0], [0.0, 1.0], [0.8, 0.8]
    >>> class_captions(np.array([dog, animal, animal, cat, animal, animal]), np.array([0, 0, 0, 1, 1, 1]))
    array([0, 3])
    >>> class_captions(np.array([dog, animal, animal, cat, animal, animal]), np.array([0, 0, 0, 1, 1, 1]),
    ...                negatives=False)
    array([1, 4])
    """
    units = _unit_rows(embeddings)
    members = members_by_group(clusters, units.shape[0])
    captions = _numbered(embeddings) if unique else np.arange(units.shape[0])
    first_of = np.unique(captions, return_index=True)[1]
    everything = units[first_of].sum(0)
    chosen = []
    for positions in members.values():
        own = positions[np.sort(np.unique(captions[positions], return_index=True)[1])]
        inside = units[own]
        total = inside.sum(0)
        itself = _squared_norms(inside)
        score = ((len(own) - 1) - (inside @ total - itself)) / len(own)
        if negatives and len(own) < len(first_of):
            score -= 1 - inside @ (everything - total) / (len(first_of) - len(own))
        chosen.append(own[np.flatnonzero(score <= score.min() + TIE)[0]])
    return np.array(chosen)


def _unit_rows(embeddings: Embeddings) -> Any:
    values = csr_array(embeddings, dtype=np.float64) if issparse(embeddings) else np.asarray(embeddings, np.float64)
    if not np.isfinite(values.data if issparse(values) else values).all():
        raise UserError("Expected finite embeddings of captions, got NaN or infinity; look at the sentence encoder.")
    return normalize(values)


def _squared_norms(rows: Any) -> Float[np.ndarray, " _"]:
    squared: np.ndarray = rows.multiply(rows).sum(1) if issparse(rows) else np.einsum("ij,ij->i", rows, rows)
    return squared


def _numbered(rows: Any) -> Int[np.ndarray, " _"]:
    """The same number for the same row."""
    seen: dict[bytes, int] = {}
    dense = (rows[[place]].toarray() if issparse(rows) else rows[place] for place in range(rows.shape[0]))
    return np.array([seen.setdefault((row + 0.0).tobytes(), len(seen)) for row in dense])  # -0 is 0
