"""Retrieved images are the nearest, whoever encodes."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from qscore.errors import UserError
from qscore.interpretability.forced_choice.automatic.retrieval import (
    fair_order,
    query_images,
    retrieve,
    retrieve_by_captions,
    retrieve_by_images,
)
from qscore.interpretability.forced_choice.words.sentences import tfidf


def test_retrieved_are_the_nearest_by_cosine() -> None:
    generator = np.random.default_rng(0)
    queries, pool = generator.normal(size=(7, 6)), generator.normal(size=(90, 6))
    found = retrieve(queries, pool)
    for query, own in zip(queries, found, strict=True):
        cosines = pool @ query / np.linalg.norm(pool, axis=1) / np.linalg.norm(query)
        assert cosines[own].tolist() == pytest.approx(sorted(cosines, reverse=True)[:10])
    assert retrieve(5 * queries, pool * np.linspace(0.1, 10, 90)[:, None]).tolist() == found.tolist()
    assert retrieve(csr_array(queries), csr_array(pool)).tolist() == found.tolist()
    assert retrieve(np.ones((1, 2)), np.ones((20, 2)), num=3).tolist() == [[0, 1, 2]]


def test_encoders_of_texts_and_images_meet_in_one_space() -> None:
    """An image here is a number of dots."""
    words = {"one": 1, "two": 2, "three": 3}
    found = retrieve_by_images(
        ["two", "one"],
        [3, 1, 2, 1],
        encode_texts=lambda texts: torch.eye(4, requires_grad=True)[[words[text] for text in texts]],
        encode_images=lambda images: np.eye(4)[np.array(images)],
        num=2,
    )
    assert found[0, 0] == 2
    assert found[1].tolist() == [1, 3]
    with pytest.raises(UserError, match="got 4 and 3; take both"):
        retrieve_by_images(["a"], [1], encode_texts=lambda _: np.ones((1, 4)), encode_images=lambda _: np.ones((1, 3)))
    with pytest.raises(UserError, match=r"each of 2 images, got an array of shape \(1, 4\)"):
        retrieve_by_images(
            ["a"], [1, 2], encode_texts=lambda _: np.ones((1, 4)), encode_images=lambda _: np.ones((1, 4))
        )


def test_captions_stand_for_images() -> None:
    captions = ["a dog on grass", "a red car", "the car is red", "dogs", "houses"]
    assert set(retrieve_by_captions(["red cars"], captions, encoder=tfidf, num=2)[0].tolist()) == {1, 2}
    assert set(retrieve_by_captions(["dogs", "car"], captions, encoder=tfidf, num=2)[0].tolist()) == {0, 3}


def test_query_images_are_of_their_class_and_near_to_its_mean() -> None:
    generator = np.random.default_rng(0)
    clusters, features = generator.integers(-1, 5, 100), generator.normal(size=(100, 3))
    random, nearest = query_images(features, clusters)
    for c in range(5):
        assert clusters[random[c]] == clusters[nearest[c]] == c
        distances = np.linalg.norm(features - features[clusters == c].mean(0), axis=1)
        assert distances[nearest[c]] == distances[clusters == c].min()
    assert random.tolist() == query_images(features, clusters)[0].tolist()
    assert random.tolist() != query_images(features, clusters, seed=1)[0].tolist()


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="pool of at least 10 images"):
        retrieve(np.ones((1, 2)), np.ones((9, 2)))
    with pytest.raises(UserError, match="NaN or infinity"):
        retrieve(np.full((1, 2), np.nan), np.ones((20, 2)))


def test_equally_near_images_are_taken_in_an_order_that_the_data_has_no_part_in() -> None:
    ids, pool = [f"image {i}" for i in range(300)], np.repeat(np.eye(3), 100, axis=0)
    found = retrieve(np.eye(3), pool, order=fair_order(ids))
    shuffled = np.random.default_rng(0).permutation(300)
    order = fair_order([ids[i] for i in shuffled])
    again = shuffled[retrieve(np.eye(3), pool[shuffled], order=order)]
    assert again.tolist() == found.tolist()
    assert (found // 100 == np.arange(3)[:, None]).all()
    assert found.tolist() != retrieve(np.eye(3), pool, order=fair_order(ids, seed=1)).tolist()
    # The product of one row may be summed in another order: nearer in the last digit is no nearer.
    noise = 1 + 1e-13 * np.random.default_rng(1).normal(size=pool.shape)
    assert retrieve(np.eye(3), pool * noise, order=fair_order(ids)).tolist() == found.tolist()
