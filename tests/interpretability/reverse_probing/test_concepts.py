"""Concepts that are put side by side, looked up and shuffled; and those that do not fit."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from qscore.errors import UserError
from qscore.interpretability.reverse_probing.concepts import (
    group_names,
    labels_of,
    listed,
    make_concepts,
    of_groups,
    of_samples,
    shuffled,
    side_by_side,
    without_silent,
)
from tests.interpretability.planted import one_hot, random_concepts

PRESENT = np.array([[1, 0, 1], [0, 0, 1]], dtype=bool)


def test_sources_are_aligned_by_sample() -> None:
    first = make_concepts(PRESENT, ["red", "blue", "round"], ["colour", "colour", "shape"], ["a", "b"])
    second = make_concepts(PRESENT[::-1], ["red", "x", "y"], "other", ["b", "a"])
    both = side_by_side([first, second])
    assert both.ids == ("a", "b")
    np.testing.assert_array_equal(both.present.toarray(), np.hstack([PRESENT, PRESENT]))
    assert labels_of(both)[:4] == ("[colour] red", "[colour] blue", "[shape] round", "[other] red")
    assert group_names(both) == ("colour", "shape", "other")
    np.testing.assert_array_equal(
        of_groups(both, ["shape", "other"]).present.toarray(), np.hstack([PRESENT[:, 2:], PRESENT])
    )
    assert without_silent(first).names == ("red", "round")
    assert of_samples(first, ["b"]).present.toarray().tolist() == [[False, False, True]]


def test_what_does_not_fit_is_named() -> None:
    ids, names = ["a", "b"], ["red", "blue", "round"]
    with pytest.raises(UserError, match="2 rows and 3 columns for 3 ids"):
        make_concepts(PRESENT, names, "g", ["a", "b", "c"])
    with pytest.raises(UserError, match=r"every concept once, got \[g\] red"):
        make_concepts(PRESENT, ["red", "red", "round"], "g", ids)
    with pytest.raises(UserError, match="every sample once, got a "):
        make_concepts(PRESENT, names, "g", ["a", "a"])
    with pytest.raises(UserError, match="0 and 1, got 2"):
        make_concepts(csr_array(2 * PRESENT.astype(int)), names, "g", ids)
    known = make_concepts(PRESENT, names, "g", ids)
    with pytest.raises(UserError, match="none of 1 out of 2: z; the table knows a, b"):
        of_samples(known, ["a", "z"])
    with pytest.raises(UserError, match="Unknown group of concepts 'h'"):
        of_groups(known, ["h"])
    with pytest.raises(UserError, match=r"\[g\] red"):
        side_by_side([known, known])
    assert listed([str(i) for i in range(5)]) == "0, 1, 2, 3, 4"


def test_the_matrix_of_the_caller_is_left_alone() -> None:
    theirs = csr_array(np.ones((2, 3), dtype=bool))
    theirs.data = PRESENT.ravel()
    kept = make_concepts(theirs, ["red", "blue", "round"], "g", ["a", "b"])
    assert (theirs.nnz, kept.present.nnz) == (6, 3)
    np.testing.assert_array_equal(kept.present.toarray(), PRESENT)


def test_shuffling_deals_whole_rows_and_not_in_the_order_of_the_split() -> None:
    concepts = random_concepts(200, 8)
    dealt = shuffled(concepts, 0)
    as_rows = [sorted(map(tuple, each.present.toarray().tolist())) for each in (concepts, dealt)]
    assert as_rows[0] == as_rows[1]
    assert dealt.ids == concepts.ids
    numbered = one_hot(np.arange(200), "row")
    origin = shuffled(numbered, 5).present.indices
    assert not np.array_equal(origin, np.random.default_rng(5).permutation(200))
