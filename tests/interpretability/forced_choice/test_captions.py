"""Captions of classes against the double loop of eq. 4, and on classes with a planted generic caption."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array

from qscore.errors import UserError
from qscore.interpretability.forced_choice.captions import class_captions
from qscore.interpretability.forced_choice.words.rouge import class_captions_by_rouge, rouge_l
from qscore.interpretability.forced_choice.words.sentences import embed_captions
from qscore.interpretability.forced_choice.words.statistics import caption_statistics
from qscore.records import Grouping
from tests.interpretability.forced_choice.planted import bag_of_words, generic_captions

Distance = Callable[[int, int], float]


def double_loop(distance: Distance, members: list[list[int]], num: int, negatives: bool = True) -> list[int]:
    """Eq. 4 as it stands."""
    chosen = []
    for own in members:
        outside = [i for i in range(num) if i not in own]
        scores = []
        for s in own:
            score = sum(distance(s, other) for other in own if other != s) / len(own)
            if negatives and outside:
                score -= sum(distance(s, other) for other in outside) / len(outside)
            scores.append(score)
        chosen.append(next(s for s, score in zip(own, scores, strict=True) if score < min(scores) + 1e-10))
    return chosen


def cosine_distance(vectors: np.ndarray) -> Distance:
    def distance(i: int, j: int) -> float:
        norms = np.linalg.norm(vectors[i]) * np.linalg.norm(vectors[j])
        return 1 - float(vectors[i] @ vectors[j]) / norms if norms else 1.0

    return distance


def some_vectors(num: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Twelve classes and some images in none; repeated captions, one without a word."""
    generator = np.random.default_rng(0)
    clusters = generator.integers(-1, 12, num)
    vectors = generator.normal(size=(num, 8)) + 2 * generator.normal(size=(13, 8))[clusters]
    vectors[generator.integers(0, num, 60)] = vectors[generator.integers(0, num, 60)]
    vectors[7] = 0
    return vectors * generator.uniform(0.1, 10, (num, 1)), clusters


def positions(clusters: np.ndarray) -> list[list[int]]:
    return [np.flatnonzero(clusters == c).tolist() for c in np.unique(clusters[clusters >= 0])]


@pytest.mark.parametrize("negatives", [True, False])
def test_captions_are_those_of_the_double_loop(negatives: bool) -> None:
    vectors, clusters = some_vectors()
    expected = double_loop(cosine_distance(vectors), positions(clusters), len(vectors), negatives)
    for given in (vectors, csr_array(vectors)):
        assert class_captions(given, clusters, negatives=negatives).tolist() == expected


def test_overlapping_groups_have_captions_too() -> None:
    vectors, _ = some_vectors()
    is_in = np.random.default_rng(1).random((len(vectors), 5)) < 0.3
    expected = double_loop(cosine_distance(vectors), [np.flatnonzero(c).tolist() for c in is_in.T], len(vectors))
    assert class_captions(vectors, is_in).tolist() == expected


@pytest.mark.parametrize("negatives", [True, False])
def test_unique_captions_are_those_of_sets(negatives: bool) -> None:
    """S_c and S as sets of sentences: one that is in S_c is outside of no class."""
    generator = np.random.default_rng(2)
    clusters, sentence = generator.integers(0, 6, 200), generator.integers(0, 25, 200)
    sentence = np.unique(sentence, return_inverse=True)[1]  # S holds what is said, not what could be
    num = int(sentence.max()) + 1
    of_sentence = generator.normal(size=(num, 4))
    sets = [sorted(set(sentence[clusters == c].tolist())) for c in range(6)]
    expected = double_loop(cosine_distance(of_sentence), sets, num, negatives)
    for given in (of_sentence[sentence], csr_array(of_sentence[sentence])):
        found = class_captions(given, clusters, negatives=negatives, unique=True)
        assert sentence[found].tolist() == expected
        for c, place in enumerate(found.tolist()):  # the first image with that caption
            assert place == np.flatnonzero((clusters == c) & (sentence == expected[c]))[0]


def test_scale_and_names_do_not_matter_and_the_first_of_equals_is_taken() -> None:
    vectors, clusters = some_vectors()
    found = class_captions(vectors, clusters)
    assert class_captions(vectors * 1e3, clusters).tolist() == found.tolist()
    assert class_captions(vectors, np.where(clusters < 0, -1, 11 - clusters))[::-1].tolist() == found.tolist()
    assert class_captions(np.ones((6, 3)), np.array([1, 0, 1, 0, 0, 1])).tolist() == [1, 0]
    assert class_captions(np.ones((4, 3)), np.zeros(4, int)).tolist() == [0]  # nothing is outside
    # all at distance 1 from all: a caption without a known word is neither nearer nor farther
    assert class_captions(np.array([[0.0, 0], [1, 0], [0, 1]]), np.zeros(3, int)).tolist() == [0]


def test_a_generic_caption_is_chosen_only_without_negatives() -> None:
    captions, clusters = generic_captions()
    vectors = embed_captions(captions, bag_of_words)
    without, with_ = class_captions(vectors, clusters, negatives=False), class_captions(vectors, clusters)
    assert {captions[place] for place in without} == {"an organism"}
    assert len({captions[place] for place in with_}) == 12
    without = class_captions_by_rouge(captions, clusters, negatives=False)
    with_ = class_captions_by_rouge(captions, clusters)
    assert {captions[place] for place in without} == {"an organism"}
    assert len({captions[place] for place in with_}) == 12


def slow_rouge(first: str, second: str) -> float:
    """2 L / (m + n) by the textbook table."""
    a, b = first.split(), second.split()
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    for i, word in enumerate(a):
        for j, other in enumerate(b):
            table[i + 1, j + 1] = table[i, j] + 1 if word == other else max(table[i, j + 1], table[i + 1, j])
    return 2 * int(table[-1, -1]) / (len(a) + len(b)) if a or b else 0.0


def some_captions(num: int = 90) -> tuple[list[str], np.ndarray]:
    generator = np.random.default_rng(0)
    words = [generator.choice(list("abcdef"), generator.integers(0, 8)).tolist() for _ in range(num)]
    return [" ".join(w) for w in words], generator.integers(-1, 6, num)


@pytest.mark.parametrize("negatives", [True, False])
def test_captions_by_rouge_are_those_of_the_double_loop(negatives: bool) -> None:
    captions, clusters = some_captions()
    expected = double_loop(
        lambda i, j: 1 - slow_rouge(captions[i], captions[j]), positions(clusters), len(captions), negatives
    )
    assert class_captions_by_rouge(captions, clusters, negatives=negatives).tolist() == expected


def test_rouge_is_that_of_the_table_and_reads_words_as_the_reference_does() -> None:
    captions, _ = some_captions(40)
    for first in captions:
        assert [rouge_l(first, second) for second in captions] == pytest.approx(
            [slow_rouge(first, second) for second in captions]
        )
    # rouge-score 0.1.2 on the same pairs, without a stemmer
    assert rouge_l("A dog's ball, 2x!", "the Dog s BALL 2x") == pytest.approx(8 / 10)
    assert rouge_l("", "a") == rouge_l("", "") == rouge_l("é", "é") == 0


def test_a_sample_of_negatives_is_drawn_alike() -> None:
    captions, clusters = generic_captions()
    few = class_captions_by_rouge(captions, clusters, max_negatives=30)
    assert few.tolist() == class_captions_by_rouge(captions, clusters, max_negatives=30).tolist()
    assert len({captions[place] for place in few}) == 12


def test_what_is_no_embedding_is_refused() -> None:
    with pytest.raises(UserError, match="NaN or infinity"):
        class_captions(np.array([[np.nan], [1.0]]), np.array([0, 1]))
    with pytest.raises(UserError, match="same 2 samples, got groups of 3"):
        class_captions(np.ones((2, 2)), Grouping(np.array([0, 1, 1]), "made up"))
    with pytest.raises(UserError, match="at least one group"):
        class_captions(np.ones((2, 2)), np.array([-1, -1]))


def test_caption_statistics_count_what_differs() -> None:
    captions = 3 * ["a dog on the grass"] + ["Dogs in a field ", "dogs in a field", "the dog on grass", "a bird"]
    found = caption_statistics(captions, top=2)
    assert (found.num_captions, found.num_unique, found.num_unique_content) == (7, 4, 3)
    assert found.most_common == (("a dog on the grass", 3), ("dogs in a field", 2))
    assert caption_statistics([]).most_common == ()
