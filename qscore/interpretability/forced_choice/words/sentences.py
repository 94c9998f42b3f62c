"""Sentences as vectors: by an encoder of anybody, by the word vectors of a package, or by their letters."""

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from safetensors.numpy import load_file
from scipy.sparse import csr_array, issparse
from sklearn.feature_extraction.text import TfidfVectorizer

from qscore.errors import UserError
from qscore.interpretability.forced_choice.words.named import callable_named, check_named, is_named

log = logging.getLogger(__name__)

Embeddings: TypeAlias = Float[np.ndarray, "sample feature"] | csr_array
SentenceEncoder: TypeAlias = Callable[[Sequence[str]], Any]

AUTO, TFIDF, PACKAGE = "auto", "tfidf", "wordllama"
ENCODER = "a sentence encoder"
WEIGHTS, TOKENIZER = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"


def embed_captions(captions: Sequence[str], encoder: SentenceEncoder | None = None) -> Embeddings:
    """Returns the embedding of every caption; one that comes often is encoded once.

    Args:
        captions: One an image.
        encoder: psi: sentences to vectors, (sentence, feature), as an array, a tensor or a sparse array, such as the
            `encode` of a sentence-transformers model. By default that of `default_encoder`. The weights of TF-IDF are
            those of distinct captions.

    Raises:
        UserError: If the encoder does not give a vector for every sentence.
    """
    distinct, places = np.unique(np.array(captions, dtype=object), return_inverse=True)
    given = (encoder or default_encoder())(distinct.tolist())
    vectors = given if issparse(given) else np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    if vectors.ndim != 2 or vectors.shape[0] != len(distinct):
        raise UserError(
            f"Expected a vector for each of {len(distinct)} sentences, got an array of shape {vectors.shape}; "
            "let the encoder take a list of sentences and return (sentence, feature)."
        )
    return vectors[places]


def check_encoder(given: object) -> None:
    """Looks whether there is such a sentence encoder, before anything is made, see `encoder_of`.

    Raises:
        UserError: If it is none of these, or cannot be imported.
    """
    if isinstance(given, str) and is_named(given):
        check_named(given, ENCODER)
    elif given != AUTO:
        encoder_of(given)


def encoder_of(given: object) -> tuple[SentenceEncoder, str]:
    """Returns a sentence encoder and what it is called.

    Args:
        given: "auto" for `default_encoder`, "tfidf", `module:attribute`, or a function of sentences.

    Raises:
        UserError: If it is none of these, or cannot be imported.
    """
    if given == TFIDF:
        return tfidf, TFIDF
    if given == AUTO:
        found = default_encoder()
        return found, TFIDF if found is tfidf else PACKAGE
    if isinstance(given, str) and is_named(given):
        return callable_named(given, ENCODER), given
    if isinstance(given, str) or not callable(given):
        raise UserError(f"Expected a sentence encoder as {AUTO}, {TFIDF} or module:name, got {given!r}.")
    return given, getattr(given, "__name__", type(given).__name__)


def default_encoder() -> SentenceEncoder:
    """Returns `WordVectors` where its package is installed, else `tfidf`; which one is logged."""
    spec = find_spec(PACKAGE)
    if spec is not None and spec.submodule_search_locations:
        log.info("Captions are compared by the word vectors of %s.", PACKAGE)
        return WordVectors(Path(next(iter(spec.submodule_search_locations))))
    log.info("Captions are compared by letters (TF-IDF); for meaning install qscore[captions], or pass an encoder.")
    return tfidf


class WordVectors:
    """The mean of the word vectors of a sentence, from the files inside the package wordllama: no download.

    Of 256 numbers each, from the token embeddings of language models (MIT). Its own classes look for the tokenizer in
    another folder, and importing it sets up logging: only its two files are read. A sentence without a token is zero.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def vectors(self) -> Float[np.ndarray, "token feature"]:
        """Of each token."""
        return load_file(self.folder / WEIGHTS)["embedding.weight"].astype(np.float32)

    @cached_property
    def tokenizer(self) -> Any:
        """Sentences to numbers of tokens."""
        from tokenizers import Tokenizer  # comes with wordllama

        return Tokenizer.from_file(str(self.folder / TOKENIZER))

    def __call__(self, sentences: Sequence[str]) -> Float[np.ndarray, "sentence feature"]:
        found = np.zeros((len(sentences), self.vectors.shape[1]), dtype=np.float32)
        for place, encoded in enumerate(self.tokenizer.encode_batch(list(sentences), add_special_tokens=False)):
            if encoded.ids:
                found[place] = self.vectors[encoded.ids].mean(0)
        return found


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
