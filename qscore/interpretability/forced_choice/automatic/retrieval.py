"""Images that a description of a class finds in a pool, in place of a search engine (section 5.2)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csr_array, issparse
from sklearn.preprocessing import normalize

from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.interpretability.forced_choice.words.sentences import SentenceEncoder, embed_captions
from qscore.interpretability.membership import Groups, members_by_group

NUM_RETRIEVED = 10
MAX_NUMBERS = 2**24  # of similarities held at once
DIGITS = 9  # of a cosine; what differs less is a sum in another order


def retrieve(
    queries: Float[np.ndarray, "query feature"] | csr_array,
    pool: Float[np.ndarray, "sample feature"] | csr_array,
    *,
    num: int = NUM_RETRIEVED,
    order: Int[np.ndarray, " sample"] | None = None,
) -> Int[np.ndarray, "query num"]:
    """Returns the images of a pool that are nearest to each query by cosine, the nearest first.

    Args:
        queries: Embeddings of descriptions; or of images, for the baselines of table 3.
        pool: Embeddings of images, or of their captions, in the same space. None of them should have been clustered.
        num: N, images for each query.
        order: Positions in which equally near ones are taken, such as by `fair_order`; by default their own.

    Raises:
        UserError: If the pool is too small, the lengths of vectors differ, or a number is not finite.

    >>> retrieve(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.1], [1.0, 1.0]]), num=2)
    array([[1, 2]])
    """
    if not 1 <= num <= pool.shape[0]:
        raise UserError(f"Expected a pool of at least {num} images to retrieve from, got {pool.shape[0]}; add images.")
    for values in (queries, pool):
        if not np.isfinite(values.data if issparse(values) else values).all():
            raise UserError("Expected finite embeddings, got NaN or infinity; look at the encoder.")
    places = np.arange(pool.shape[0]) if order is None else order
    texts, images = normalize(queries.astype(np.float64)), normalize(pool[places].astype(np.float64))
    rows = max(1, MAX_NUMBERS // pool.shape[0])
    found = []
    for start in range(0, queries.shape[0], rows):
        near = texts[start : start + rows] @ images.T
        near = (near.toarray() if issparse(near) else near).round(DIGITS)  # the same caption is equally near
        found.append(places[np.argsort(-near, axis=1, kind="stable")[:, :num]])
    return np.concatenate(found)


def fair_order(ids: Sequence[str], *, seed: int = 0) -> Int[np.ndarray, " sample"]:
    """Returns positions in an order that follows from ids and seed alone: not from how the data is sorted.

    Many captions are equal; whose image is taken first must then not be that of the first class.

    >>> [["a", "b", "c"][i] for i in fair_order(["a", "b", "c"])] == [["c", "a", "b"][i] for i in
    ...                                                               fair_order(["c", "a", "b"])]
    True
    """
    return np.argsort([fingerprint(str(seed), name) for name in ids], kind="stable")


def retrieve_by_images(
    descriptions: Sequence[str],
    images: Sequence[Any],
    *,
    encode_texts: Callable[[Sequence[str]], Any],
    encode_images: Callable[[Sequence[Any]], Any],
    num: int = NUM_RETRIEVED,
) -> Int[np.ndarray, "query num"]:
    """Returns the same by encoders of texts and images into one space, such as CLIP's.

    Args:
        descriptions: Of each class.
        images: The pool, of whatever kind the encoder takes.
        encode_texts: Sentences to vectors, (sentence, feature), as an array or a tensor.
        encode_images: Images to vectors of the same length.
        num: Images for each description.

    Raises:
        UserError: If an encoder does not give a vector for each, or as `retrieve`.
    """
    texts = _vectors(encode_texts(list(descriptions)), len(descriptions), "descriptions")
    seen = _vectors(encode_images(images), len(images), "images")
    if texts.shape[1] != seen.shape[1]:
        raise UserError(
            f"Expected vectors of texts and images of one length, got {texts.shape[1]} and {seen.shape[1]}; "
            "take both from the same encoder."
        )
    return retrieve(texts, seen, num=num)


def retrieve_by_captions(
    descriptions: Sequence[str],
    captions: Sequence[str],
    *,
    encoder: SentenceEncoder | None = None,
    num: int = NUM_RETRIEVED,
) -> Int[np.ndarray, "query num"]:
    """Returns the same by the captions of the pool, where there is no encoder of images and texts.

    Args:
        descriptions: Of each class.
        captions: Of the pool.
        encoder: As for `embed_captions`.
        num: Images for each description.

    >>> retrieve_by_captions(["dogs"], ["a car", "a dog", "a house"], num=1)
    array([[1]])
    """
    together = embed_captions([*descriptions, *captions], encoder)  # TF-IDF knows only the words it was made of
    return retrieve(together[: len(descriptions)], together[len(descriptions) :], num=num)


def query_images(
    features: Float[np.ndarray, "sample feature"], groups: Groups, *, seed: int = 0
) -> tuple[Int[np.ndarray, " group"], Int[np.ndarray, " group"]]:
    """Returns of each class a random image, and that nearest to its mean: what descriptions have to beat in table 3.

    Args:
        features: Of the clustered images.
        groups: Classes; see `members_by_group`.
        seed: Of the draw.

    >>> query_images(np.array([[0.0], [1.0], [5.0]]), np.array([0, 0, 0]))[1]
    array([1])
    """
    members = members_by_group(groups, len(features))
    random = [np.random.default_rng((seed, group)).choice(own) for group, own in members.items()]
    nearest = []
    for own in members.values():
        rows = features[own].astype(np.float64)
        nearest.append(own[np.square(rows - rows.mean(0)).sum(1).argmin()])
    return np.array(random), np.array(nearest)


def _vectors(given: Any, num: int, kind: str) -> Float[np.ndarray, "row feature"]:
    values = np.asarray(given.detach().cpu() if isinstance(given, torch.Tensor) else given, dtype=np.float64)
    if values.ndim != 2 or len(values) != num:
        raise UserError(f"Expected a vector for each of {num} {kind}, got an array of shape {values.shape}.")
    return values
