"""The automatic proxy against its definition in loops, and on descriptions of known worth."""

import numpy as np
import pytest
from scipy.stats import rankdata

from qscore.errors import UserError
from qscore.interpretability.forced_choice.automatic.belonging import chance, class_scores
from qscore.interpretability.forced_choice.automatic.retrieval import query_images, retrieve
from qscore.interpretability.forced_choice.captions import class_captions
from qscore.interpretability.forced_choice.proxy import Proxy, describability_proxy
from tests.interpretability.forced_choice.planted import bag_of_words, generic_captions


def pool(num_classes: int = 12, each: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images around the centres of their classes, the centres, and whose they are."""
    generator = np.random.default_rng(0)
    centres = 3 * generator.normal(size=(num_classes, 16))
    labels = np.repeat(np.arange(num_classes), each)
    return centres[labels] + generator.normal(size=(len(labels), 16)), centres, labels


def test_scores_are_distances() -> None:
    images, centres, _ = pool()
    slow = [[-(np.linalg.norm(image - centre) ** 2) for centre in centres] for image in images]
    assert class_scores(images, centres) == pytest.approx(np.array(slow))


def test_shares_are_those_of_loops() -> None:
    generator = np.random.default_rng(0)
    scores, retrieved = generator.integers(0, 6, (50, 9)).astype(float), generator.integers(0, 50, (9, 4))
    found = describability_proxy(retrieved, scores, selected=[7, 2], num_runs=3000)
    place = np.array([rankdata(-row, method="ordinal") for row in scores])  # of equal ones the first
    top = np.array([[[place[i, c] <= k for i in retrieved[c]] for c in range(9)] for k in (1, 5)]).mean(2)
    assert (found.top1, found.top5) == pytest.approx(tuple(top.mean(1)))
    assert (found.recall1, found.recall5) == pytest.approx(tuple(top[:, [2, 7]].mean(1)))
    wins = [
        float(scores[i, c] > scores[j, c]) + 0.5 * float(scores[i, c] == scores[j, c])
        for c in range(9)
        for i in retrieved[c]
        for j in np.delete(retrieved, c, axis=0).ravel()
    ]
    assert found.binary == pytest.approx(np.mean(wins), abs=5 * found.binary_sd / np.sqrt(3000))
    # 36 comparisons a run, each a coin of the class's chance
    assert 0 < found.binary_sd < 0.5 / 6


def test_the_worth_of_descriptions_is_ranked() -> None:
    """A description is the direction of its class, blurred; a generic one is the mean of all; a wrong one another's."""
    images, centres, _ = pool()
    scores, generator = class_scores(images, centres), np.random.default_rng(2)

    def worth(descriptions: np.ndarray) -> Proxy:
        return describability_proxy(retrieve(descriptions, images), scores)

    good = worth(centres)
    blurred = worth(centres + 6 * generator.normal(size=centres.shape))
    generic = worth(np.tile(centres.mean(0), (12, 1)))
    wrong = worth(np.roll(centres, 1, axis=0))
    assert good.top1 == 1
    assert good.binary > 0.99  # no negative is of the class itself
    assert good.top1 > blurred.top1 > generic.top1 > wrong.top1
    assert good.binary > blurred.binary > generic.binary
    # all classes find the same ten images: each is of one class at most, and the binary test is a coin
    assert generic.top1 == pytest.approx(1 / 12)
    assert generic.binary == pytest.approx(0.5, abs=0.03)
    assert good.recall1 is None


def test_captions_are_ranked_as_in_table_3() -> None:
    """Descriptions of planted captions search images that are their captions, seen with noise."""
    captions, clusters = generic_captions()
    generator = np.random.default_rng(3)
    vectors = bag_of_words(captions)
    clustered, held_out = (vectors + 0.3 * generator.normal(size=vectors.shape) for _ in range(2))
    centres = np.stack([clustered[clusters == c].mean(0) for c in range(12)])
    scores = class_scores(held_out, centres)

    def worth(queries: np.ndarray) -> Proxy:
        return describability_proxy(retrieve(queries, held_out), scores, selected=range(12))

    with_negatives = worth(vectors[class_captions(vectors, clusters)])
    without = worth(vectors[class_captions(vectors, clusters, negatives=False)])
    random, representative = (worth(clustered[places]) for places in query_images(clustered, clusters))
    assert with_negatives.top1 > random.top1 > without.top1
    assert with_negatives.binary > max(random.binary, representative.binary) > without.binary
    assert (with_negatives.recall1, with_negatives.recall5) == (with_negatives.top1, with_negatives.top5)


def test_images_at_random_find_large_classes_more_often() -> None:
    generator = np.random.default_rng(0)
    scores = np.round(generator.normal([2, 1, 0, 0, 0, -1], size=(200, 6)), 1)
    place = np.array([rankdata(-row, method="ordinal") for row in scores])
    for k in (1, 5):
        assert chance(scores, k) == pytest.approx((place <= k).mean(0))
    assert chance(scores, 1).mean() == pytest.approx(1 / 6)


def test_temperature_and_seed() -> None:
    images, centres, _ = pool()
    scores, found = class_scores(images, centres), retrieve(centres + 5, images)
    plain = describability_proxy(found, scores)
    warm = np.exp(scores / 50)
    assert describability_proxy(found, scores) == plain
    same = describability_proxy(found, warm / warm.max())
    assert (same.top1, same.top5, same.binary) == (plain.top1, plain.top5, plain.binary)
    assert describability_proxy(found, scores, seed=1).binary != plain.binary
    assert describability_proxy(found, scores, num_runs=1).binary_sd == 0


def test_mistakes_are_named() -> None:
    found, scores = np.array([[0], [1]]), np.zeros((2, 2))
    with pytest.raises(UserError, match="got images for 1, scores for 1"):
        describability_proxy(found[:1], scores[:, :1])
    with pytest.raises(UserError, match="scores of every retrieved image"):
        describability_proxy(found + 1, scores)
    with pytest.raises(UserError, match="from 0 to 1, got 2"):
        describability_proxy(found, scores, selected=[2])
