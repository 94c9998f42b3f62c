"""One caption for a whole class: that of one of its images, near to the others and far from all outside (eq. 4)."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array, issparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from qscore.errors import UserError
from qscore.interpretability.membership import Groups, members_by_group

Embeddings: TypeAlias = Float[np.ndarray, "sample feature"] | csr_array
SentenceEncoder: TypeAlias = Callable[[Sequence[str]], Any]

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


def tfidf(captions: Sequence[str]) -> csr_array:
    """Returns sentence embeddings that need no model: TF-IDF of pieces of words, (sample, feature), sparse.

    Of 3 to 5 letters each, so that "dog" and "dogs" are near. They know nothing of meaning: "puppy" is as far from
    "dog" as "car" is. Use a sentence encoder where there is one.

    Raises:
        UserError: If no caption has a word.

    >>> vectors = tfidf(["a dog", "dogs", "a car"])
    >>> bool(vectors[[0]] @ vectors[[1]].T > vectors[[0]] @ vectors[[2]].T)
    True
    """
    try:
        return csr_array(TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(captions))
    except ValueError as error:
        raise UserError(f"Expected captions with words in them, got {len(captions)} without; caption them.") from error


def embed_captions(captions: Sequence[str], encoder: SentenceEncoder = tfidf) -> Embeddings:
    """Returns the embedding of every caption; one that comes often is encoded once.

    Args:
        captions: One an image.
        encoder: psi: sentences to vectors, (sentence, feature), as an array, a tensor or a sparse array, such as the
            `encode` of a sentence-transformers model. TF-IDF by default, whose weights then are those of distinct
            captions.

    Raises:
        UserError: If the encoder does not give a vector for every sentence.
    """
    distinct, places = np.unique(np.array(captions, dtype=object), return_inverse=True)
    given = encoder(distinct.tolist())
    vectors = given if issparse(given) else np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    if vectors.ndim != 2 or vectors.shape[0] != len(distinct):
        raise UserError(
            f"Expected a vector for each of {len(distinct)} sentences, got an array of shape {vectors.shape}; "
            "let the encoder take a list of sentences and return (sentence, feature)."
        )
    return vectors[places]


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
