"""Exported namings as a result: by hand, against what was put in, and without annotators or names."""

from pathlib import Path

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.naming import agreeing, chance
from qscore.interpretability.naming.families import SHAPES
from qscore.interpretability.naming.matching import Matching, match_namings
from qscore.interpretability.naming.people import namings_result
from qscore.results import Result, load_result

from .exported import Record, facts, record
from .printed import MEAN_SIGNIFICANT, NUM_IMAGES, NUM_SIGNIFICANT

# Twelve activations of six images; of the first annotator's concepts the third is in two images only.
IMAGES = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
FEATURES = [7, 8, 7, 8, 7, 8, 7, 9, 7, 9, 7, 9]
FIRST = [0, 1, 0, 1, 0, 1, 0, 2, -1, 1, -1, 2]
SECOND = [0, 0, 0, 0, 0, -1, 1, -2, 1, 1, 1, -1]


def by_hand(second_names: tuple[str, ...] = ("Wings", "tail"), **options: object) -> Result:
    records = [record(3, FIRST, ["wing", "eye", "noise"]), record(5, SECOND, second_names)]
    return namings_result(records, facts(IMAGES, FEATURES), **options)  # type: ignore[arg-type]


def test_of_many_pairs_each_is_shuffled_less_and_this_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    solved: list[str] = []

    def counted(*namings: object, shape: str = "star", **options: object) -> Matching:
        solved.append(shape)
        return match_namings(*namings, shape=shape, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(chance, "match_namings", counted)
    monkeypatch.setattr(agreeing, "MANY_PAIRS", 3)
    records = [record(who, FIRST, ["wing", "eye", "noise"]) for who in range(4)]  # six pairs
    found = namings_result(records, facts(IMAGES, FEATURES), num_permutations=30)
    assert found.arrays["pair_num_permutations"].tolist() == [[15, 15, 15]] * 6
    assert solved.count("star") == 6 * (1 + 15)
    assert any("chance of 6 pairs is from 15 to 15 permutations, not 30" in note for note in found.notes)
    few = namings_result(records, facts(IMAGES, FEATURES), num_permutations=12)
    assert few.arrays["pair_num_permutations"].tolist() == [[10, 10, 10]] * 6


def test_twelve_activations_by_hand() -> None:
    found = by_hand()
    arrays = found.arrays
    assert arrays["annotator"].tolist() == ["3", "5"]
    assert arrays["concept_is_small"].tolist() == [False, False, True, False, False]
    assert any("1 concepts are left out" in note for note in found.notes)
    # Both named seven, the first one more, the second two more.
    assert arrays["coverage"][0, 0] == pytest.approx([8 / 12, 9 / 12, 10 / 12])
    assert arrays["coverage"][1, 0] == pytest.approx([5 / 6, 6 / 6, 6 / 6])
    assert arrays["coverage"][2, 0] == pytest.approx([3 / 6, 3 / 6, 4 / 6])
    assert arrays["exactly"][0] == pytest.approx([2 / 12, 3 / 12, 7 / 12])
    assert arrays["cx_purity"][0] == pytest.approx([7 / 8, (3 + 3) / 9])
    assert arrays["xc_purity"][0] == pytest.approx([8 / 8, (3 + 2 + 1) / 9])
    # Both named 0-4, 6 and 9. Wing meets Wings thrice and tail once; eye meets Wings twice and tail once.
    assert (arrays["pair_common"].tolist(), arrays["pair_jaccard"].tolist()) == ([7], [0.7])
    agreement = dict(zip(SHAPES, arrays["pair_agreement"][0], strict=True))
    assert agreement == pytest.approx({"one_to_one": 4 / 7, "star": 5 / 7, "diameter": 7 / 7})
    # Of 4 matched one to one, 3 are "wing" and "Wings"; of 5 in stars, 3 as well.
    assert arrays["pair_exact"][0].tolist() == pytest.approx([3 / 4, 3 / 5, 3 / 7])
    assert arrays["activation_discarded"].sum(1).tolist() == [0, 1]
    said = dict(zip(arrays["summary_names"][arrays["summary_annotator"] == 0].tolist(), [3, 1, 1, 1], strict=True))
    assert said == {"eye\nwing": 3, "eye": 1, "wing": 1, "": 1}
    assert arrays["summary_images"].sum() == 2 * 6


def test_what_people_confirm_counts_before_any_rule() -> None:
    rows = [{"group": "cat", "name_a": "eye", "name_b": "wings", "relation": "subset", "confirmed_by": 3}]
    rows += [{"group": "cat", "name_a": "wing", "name_b": "wings", "relation": "different", "confirmed_by": "owner"}]
    found = by_hand(relations=rows).arrays
    assert found["pair_exact"][0].tolist() == [0, 0, 0]
    assert found["pair_subset"][0, 1] == pytest.approx(2 / 5)  # eye and Wings
    assert found["edge_is_confirmed"].sum() == 2
    assert by_hand(relations=[{**rows[0], "group": "dog"}]).arrays["edge_is_confirmed"].sum() == 0


def test_means_of_table_1_are_those_of_the_paper() -> None:
    activations = [row for group in MEAN_SIGNIFICANT for row in facts(*_spread(group), group=group)]
    known = {group: {"num_images": NUM_IMAGES[group], "xnn_rmse": 0.25} for group in MEAN_SIGNIFICANT}
    found = namings_result([record(1, [], [], group="a")], activations, facts=known).arrays
    means = found["group_activations"] / found["group_images"]
    printed = [f"{mean:.2f}".rstrip("0").rstrip(".") for mean in means]
    assert dict(zip(found["group"].tolist(), printed, strict=True)) == MEAN_SIGNIFICANT
    assert (found["fact"].tolist(), set(found["group_facts"][:, 0])) == (["xnn_rmse"], {0.25})


def test_independent_namings_agree_no_more_than_by_chance() -> None:
    """Ten pairs of five annotators: the excess is 0 within 0.03."""
    draws = np.random.default_rng(0)
    names = [str(k) for k in range(6)]
    records = [record(who, draws.integers(-1, 6, 160).tolist(), names) for who in range(5)]
    found = namings_result(records, facts([i // 2 for i in range(160)], [0] * 160), num_permutations=60)
    excess = found.arrays["pair_excess"]
    assert excess.shape == (10, len(SHAPES))
    assert np.abs(excess[:, :2].mean(0)).max() < 0.03
    assert np.abs(excess[:, 2].mean()) < 0.06  # by diameter a block more or less moves a pair by 0.1


def test_a_copy_with_every_concept_in_two_is_told_by_stars() -> None:
    whole = [k for k in range(4) for _ in range(12)]
    halves = [2 * k + i % 2 for i, k in enumerate(whole)]
    names = ["ear", "eye", "leg", "fin"]
    parts = [f"{side} {name}" for name in names for side in ("left", "right")]
    records = [record(1, whole, names), record(2, halves, parts)]
    found = namings_result(records, facts(list(range(48)), whole)).arrays
    assert found["pair_agreement"][0].tolist() == pytest.approx([0.5, 1, 1])
    assert (found["pair_exact"][0, 1], found["pair_subset"][0, 1]) == (0, 1)
    assert found["pair_p_value"][0, :2].tolist() == pytest.approx([1 / 201] * 2)  # no permutation agrees as much


def test_one_annotator_or_no_name_is_said_in_words() -> None:
    alone = namings_result([record(1, FIRST, ["wing", "eye", "x"])], facts(IMAGES, FEATURES))
    assert (alone.metrics["agreement/star"], alone.metrics["jaccard"]) == (None, None)
    assert alone.metrics["cx_purity"] is not None
    assert any("agreement needs two" in note for note in alone.notes)
    unnamed = [record(who, [-1] * 12, [], done=False) for who in (1, 2)]
    nothing = namings_result(unnamed, facts(IMAGES, FEATURES))
    assert (nothing.metrics["coverage/activations"], nothing.metrics["cx_purity"]) == (0, None)
    assert any("Nothing is named" in note for note in nothing.notes)
    assert any("2 of 2 namings are not finished" in note for note in nothing.notes)
    with pytest.raises(UserError, match="got none; ask people first"):
        namings_result([], facts(IMAGES, FEATURES))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"group": "dog"}, "of the groups cat, got one of 'dog'"),
        ({"discarded": ["cat 0"]}, "got cat 0 elsewhere"),
        ({"discarded": ["elephant"]}, "got elephant elsewhere"),
        ({"annotator": 2}, "got two of 2"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(wrong: Record, said: str) -> None:
    records = [record(1, FIRST, ["wing", "eye", "x"]) | wrong, record(2, FIRST, ["wing", "eye", "x"])]
    with pytest.raises(UserError, match=said):
        namings_result(records, facts(IMAGES, FEATURES))


def test_a_result_is_kept(tmp_path: Path) -> None:
    """Arrays need no pickle, numbers no NaN."""
    path = by_hand(source={"layer": "layer4"}).save(tmp_path)
    assert "NaN" not in path.read_text()
    assert load_result(path).arrays["concept"].tolist() == ["wing", "eye", "noise", "Wings", "tail"]


def _spread(group: str) -> tuple[list[int], list[int]]:
    """As many activations as the paper has, over its images."""
    count = NUM_SIGNIFICANT[group]
    return [i % NUM_IMAGES[group] for i in range(count)], [0] * count
