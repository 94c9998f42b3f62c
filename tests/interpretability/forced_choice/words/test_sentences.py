"""Sentences become vectors, whoever encodes them."""

import importlib.util
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from qscore.errors import UserError
from qscore.interpretability.forced_choice.captions import class_captions
from qscore.interpretability.forced_choice.words import sentences
from qscore.interpretability.forced_choice.words.sentences import WordVectors, default_encoder, embed_captions, tfidf


def test_encoders_see_every_sentence_once() -> None:
    seen: list[str] = []

    def encoder(sentences: list[str]) -> torch.Tensor:
        seen.extend(sentences)
        return torch.tensor([[len(s), 1.0] for s in sentences], requires_grad=True)

    found = embed_captions(["aa", "b", "aa", "cccc"], encoder)
    assert seen == ["aa", "b", "cccc"]
    assert found.tolist() == [[2, 1], [1, 1], [2, 1], [4, 1]]
    with pytest.raises(UserError, match=r"each of 2 sentences, got an array of shape \(2,\)"):
        embed_captions(["a", "b"], lambda sentences: np.zeros(len(sentences)))


def test_without_an_encoder_letters_decide() -> None:
    captions = ["a dog on grass", "dogs on the grass", "the dog in grass", "a car", "red cars", "many cars"]
    vectors = embed_captions(captions, tfidf)
    clusters = np.array([0, 0, 0, 1, 1, 1])
    assert class_captions(vectors, clusters).tolist() == class_captions(vectors.toarray(), clusters).tolist()
    assert np.allclose(vectors.multiply(vectors).sum(1), 1)
    with pytest.raises(UserError, match="words in them, got 2 without"):
        tfidf(["", " "])


def test_what_is_installed_is_the_default(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(sentences, "PACKAGE", "a_package_that_nobody_has")
    with caplog.at_level(logging.INFO):
        assert default_encoder() is tfidf
    assert "qscore[captions]" in caplog.text


def test_word_vectors_know_what_letters_do_not() -> None:
    pytest.importorskip("tokenizers")
    spec = importlib.util.find_spec("wordllama")
    if spec is None:
        pytest.skip("wordllama is not installed")
    encoder = default_encoder()
    assert isinstance(encoder, WordVectors)
    assert encoder.folder == Path(str(spec.origin)).parent
    said = ["a dog in the grass", "dogs sitting on the lawn", "a red car", ""]
    vectors = embed_captions(said, encoder)
    assert vectors.shape == (4, 256)
    assert not vectors[3].any()
    unit = vectors[:3] / np.linalg.norm(vectors[:3], axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.4 > unit[0] @ unit[2]
    captions = ["a puppy plays", "dogs on the lawn", "a dog in the grass", "a lorry", "cars on a road", "a red car"]
    assert class_captions(embed_captions(captions), np.array([0, 0, 0, 1, 1, 1])).shape == (2,)
