"""What comes out of exported answers is what was put in, and what is missing leaves a gap and no fault."""

import json
from math import comb
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.answers.card_images import card_images
from qscore.interpretability.forced_choice.answers.paired import Query, mcnemar, paired
from qscore.interpretability.forced_choice.answers.parts import difference
from qscore.interpretability.forced_choice.answers.people import people
from qscore.interpretability.forced_choice.questions.group_facts import GroupFacts, StudyGroups, read_groups
from qscore.results import Result, load_result
from tests.interpretability.forced_choice.recorded import rated, recorded, spread


def cell(result: Result, part: str, column: int = 0) -> dict[str, float]:
    """A cell by the name of its part."""
    arrays = result.arrays
    chosen = (arrays["part"][arrays["cell_part"]] == part) & (arrays["cell_column"] == column)
    (place,) = np.flatnonzero(chosen)
    return {name: arrays[name][place] for name in arrays if name.startswith("cell_")}


def test_a_cell_of_table_1_comes_out_as_printed() -> None:
    """SeLa, purity (0.3, 0.4], random negatives: 431 of 600 right; 71.8 [68.0, 75.4] in the paper."""
    ranges = {str(group): GroupFacts("k-means", purity_range=(0.3, 0.4)) for group in range(10)}
    others = spread(50, 1, 60, negatives="hard")
    result = people([*spread(431, 10, 60), *others], StudyGroups(groups=ranges), name="SeLa")
    found = cell(result, "(0.3, 0.4]")
    assert (found["cell_correct"], found["cell_answers"], found["cell_groups"]) == (431, 600, 10)
    assert [f"{100 * found[f'cell_{end}']:.1f}" for end in ("low", "high")] == ["68.0", "75.4"]
    assert result.metrics["images/random"] == 431 / 600
    assert found["cell_class_low"] < 431 / 600 < found["cell_class_high"]
    single = cell(result, "all", 1)
    assert single["cell_groups"] == 1
    assert np.isnan(single["cell_class_low"])
    assert result.arrays["column_negatives"].tolist() == ["random", "hard"]


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (3, 9), (7, 7), (12, 1)])
def test_mcnemar_is_twice_the_tail_of_a_fair_coin(first: int, second: int) -> None:
    num = first + second
    tail = sum(comb(num, k) for k in range(min(first, second) + 1)) / 2**num
    assert mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail))


def test_conditions_are_paired_by_query_and_majority() -> None:
    """Of 20 queries 12 are right by images alone, 3 by words alone, 1 is tied; other queries are not compared."""
    images = {f"q{i}": Query(str(i % 4), 3 if i < 14 else 0, 3) for i in range(20)}
    words = {f"q{i}": Query(str(i % 4), 3 if i in (0, 1, 14, 15, 16) else 0, 3) for i in range(20)}
    words["q19"] = Query("3", 1, 2)
    images["alone"] = Query("0", 0, 3)
    found = paired(images, words)
    assert found is not None
    assert (found.num_queries, found.first_only, found.second_only, found.num_tied) == (20, 12, 3, 1)
    assert found.p == pytest.approx(binomtest(3, 15).pvalue)
    assert found.difference == pytest.approx(42 / 60 - 16 / 59)
    assert found.low < found.difference < found.high
    assert paired(images, {"other": Query("0", 1, 1)}) is None
    assert np.isnan(paired({"q0": images["q0"]}, words).low)


def test_a_study_compares_images_words_and_whose_words_they_are() -> None:
    options = {"condition": "description", "first_query": 2}
    records = [
        *spread(30, 2, 18),
        *spread(24, 2, 12, described_by="human", **options),
        *spread(12, 2, 12, described_by="automatic", **options),
        *spread(9, 2, 12, negatives="hard"),
    ]
    arrays = people(records).arrays
    assert arrays["column_described_by"].tolist() == ["", "", "human", "automatic"]
    assert arrays["pair_columns"].tolist() == [[0, 2], [0, 3], [2, 3]]  # hard negatives are other queries
    assert arrays["pair_num_queries"].tolist() == [8, 8, 8]
    assert arrays["describer"].tolist() == ["human", "automatic"]
    assert arrays["descriptions"][1].tolist() == ["human words of 1", "automatic words of 1"]


def test_features_inside_the_band_are_set_against_those_outside() -> None:
    bands = {str(1_000_000 + j): "discriminative" if j < 4 else "outside" for j in range(8)}
    groups = {group: GroupFacts("dominant features", band) for group, band in bands.items()}
    records = [r for g, band in bands.items() for r in recorded(g, 27 if band == "outside" else 54, 60)]
    result = people([*records, *recorded("7", 60, 60)], StudyGroups(groups=groups | {"7": GroupFacts("k-means")}))
    assert result.metrics["features/images/random/difference"] == pytest.approx(0.45)
    assert result.metrics["features/images/random/difference_low"] == pytest.approx(0.45)  # all alike within a band
    assert result.metrics["k-means/images/random"] == 1.0
    assert result.metrics["dominant features/images/random"] == pytest.approx((54 + 27) / 120)
    assert result.arrays["part"].tolist() == ["all", "discriminative", "outside", "all"]
    assert result.metrics["features/images/random/difference_adjusted"] is None  # of no known size


def test_a_difference_that_size_explains_goes_when_adjusted_for_it() -> None:
    """Right answers rise by 0.1 with every doubling of the size, whatever the band."""
    facts = {
        str(j): GroupFacts("dominant features", "discriminative" if j in (4, 5, 6) else "outside", size=10 * 2**j)
        for j in range(8)
    }
    records = [record for j in range(8) for record in recorded(str(j), 6 + 6 * j, 60)]
    found = people(records, StudyGroups(groups=facts)).metrics
    assert found["features/images/random/difference"] == pytest.approx(0.1 * (5 - 13 / 5))
    names = [f"features/images/random/difference_adjusted{end}" for end in ("", "_low", "_high")]
    assert [found[name] for name in names] == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_kind_that_is_not_known_is_called_other_beside_those_that_are() -> None:
    known = StudyGroups(groups={"0": GroupFacts("k-means")})
    metrics = people(spread(7, 2, 6), known).metrics
    assert (metrics["k-means/images/random"], metrics["other/images/random"]) == (4 / 6, 3 / 6)


def test_each_kind_of_groups_is_compared_for_itself() -> None:
    """K-means are right by images alone, features by words alone; together nothing would differ."""
    known = StudyGroups(groups={"0": GroupFacts("k-means"), "1": GroupFacts("dominant features")})
    words = {"condition": "description", "described_by": "human"}
    records = [*recorded("0", 18, 18), *recorded("1", 0, 18), *recorded("0", 0, 18, **words)]
    arrays = people([*records, *recorded("1", 18, 18, **words)], known).arrays
    assert arrays["pair_kind"].tolist() == ["k-means", "dominant features"]
    assert arrays["pair_columns"].tolist() == [[0, 1], [0, 1]]
    assert arrays["pair_difference"].tolist() == [1, -1]
    assert arrays["pair_p"].tolist() == [2 / 2**6] * 2


def test_careless_annotators_and_catch_trials_do_not_count() -> None:
    careless = recorded("a", 0, 9, per_trial=1, first_query=40, excluded=True)
    for record in careless:
        record["annotator"] = 9
    catch = recorded("a", 2, 3, per_trial=1, first_query=90, is_catch=True)
    result = people([*recorded("a", 6, 6), *careless, *catch])
    assert result.metrics["images/random"] == 1.0
    assert (result.metrics["num_answers"], result.metrics["num_excluded"]) == (6, 1)
    assert result.metrics["catch_accuracy"] == pytest.approx(2 / 3)
    assert any("1 of 4 annotators, with 9 answers" in note for note in result.notes)
    with pytest.raises(UserError, match="leaves out"):
        people(careless)
    with pytest.raises(UserError, match="got none"):
        people(catch)


def test_ratings_alone_make_a_result_and_are_kept_by_describer() -> None:
    same_words = [
        {**record, "text": "the same"}
        for who in ("human", "automatic")
        for record in rated("1", "44", described_by=who)
    ]
    known = StudyGroups(groups={"0": GroupFacts(purity_range=(0.4, 0.5)), "1": GroupFacts(purity_range=(0.5, 0.6))})
    arrays = people([*rated("0", "125"), *same_words], known).arrays
    named = zip(
        arrays["part"][arrays["rating_part"]],
        arrays["rating_described_by"],
        arrays["rating_counts"].tolist(),
        strict=True,
    )
    assert [(str(part), str(who), counts) for part, who, counts in named] == [
        ("(0.4, 0.5]", "human", [1, 1, 0, 0, 1]),
        ("(0.5, 0.6]", "human", [0, 0, 0, 2, 0]),
        ("all", "human", [1, 1, 0, 2, 1]),
        ("(0.5, 0.6]", "automatic", [0, 0, 0, 2, 0]),
        ("all", "automatic", [0, 0, 0, 2, 0]),
    ]
    assert arrays["rating_suits_one"][0] == pytest.approx(1 / 3)
    assert arrays["cell_low"].size == 0


def test_records_of_older_studies_and_unnamed_describers_are_read(tmp_path: Path) -> None:
    records = [*recorded("a", 5, 6), *recorded("a", 5, 6, condition="description"), *rated("a", "33", described_by="")]
    for record in records:
        del record["negatives"], record["described_by"]
    result = people(records)
    assert result.metrics["images"] == result.metrics["description"] == 5 / 6
    assert result.arrays["rating_described_by"].tolist() == [""]
    loaded = load_result(result.save(tmp_path))
    assert loaded.metrics == result.metrics
    assert loaded.arrays["score_correct"].tolist() == [[5, 5]]


def test_groups_may_lack_anything(tmp_path: Path) -> None:
    file = tmp_path / "groups.json"
    assert read_groups(file) == StudyGroups()
    about = {"kind": "k-means", "purity_range": [0.3, 0.4], "hard_negative": -1, "size": 12, "mean_q": None}
    file.write_text(json.dumps({"source": "run", "groups": {"7": about, "8": {}}}))
    read = read_groups(file)
    assert read.of("7") == GroupFacts("k-means", purity_range=(0.3, 0.4), size=12)
    assert read.of("8") == read.of("unknown") == GroupFacts()
    abouts = ('{"purity": "high"}', '{"purity_range": [0.3]}', f'{{"size": 1{400 * "0"}}}', "3")
    for wrong in ("[]", "{", *(f'{{"groups": {{"7": {about}}}}}' for about in abouts)):
        file.write_text(wrong)
        with pytest.raises(UserError, match="got something else"):
            read_groups(file)


def test_cards_show_members_and_the_hard_negatives(tmp_path: Path) -> None:
    for name, shade in (*((f"a-{i}.png", 10 * i) for i in (0, 1, 2, 9)), ("other.png", 200)):
        Image.new("RGB", (8, 4), (shade,) * 3).save(tmp_path / name)
    Image.new("RGB", (8, 4), (90,) * 3).save(tmp_path / "random.png")
    (by_random,) = recorded("a", 1, 1, first_query=1)
    records = [*recorded("a", 1, 3, negatives="hard"), {**by_random, "left": "random.png"}]
    arrays, notes = card_images(records, tmp_path, num=5, size=16)
    assert arrays["num_examples"].tolist() == [4]
    assert arrays["num_hard_examples"].tolist() == [1]
    assert arrays["examples"][0, :, 0, 0, 0].tolist() == [0, 10, 20, 90, 255]
    assert (arrays["hard_examples"][0, 0] == 200).all()
    assert not notes
    (tmp_path / "a-1.png").write_bytes(b"")
    arrays, notes = card_images(records, tmp_path, num=5, size=16)
    assert arrays["examples"][0, :, 0, 0, 0].tolist() == [0, 255, 20, 90, 255]
    assert notes == ("Images that cannot be read are white on cards: a-1.png.",)


def test_few_groups_differ_by_their_pooled_shares_with_ends_between_the_extremes() -> None:
    """Of two groups a draw has both, or one twice: each of these a quarter of the time, so that 95 % reach both."""
    first, second = np.array([[9, 5], [10, 10]]), np.array([[2, 1], [10, 5]])
    assert difference(first, second) == pytest.approx((0.7 - 0.2, 0.5 - 0.2, 0.9 - 0.2))
    assert difference(second, first) == pytest.approx((0.2 - 0.7, 0.2 - 0.9, 0.2 - 0.5))
    both = difference(first, np.array([[4, 0], [10, 10]]))
    assert both == pytest.approx((0.5, 0.1, 0.9))
    middle = difference(first, np.array([[4, 0], [10, 10]]), confidence=0.5)
    assert middle == pytest.approx((0.5, 0.3, 0.7))
    uneven = difference(np.array([[9, 10], [10, 40]]), np.array([[1, 1], [10, 10]]))
    assert uneven == pytest.approx((19 / 50 - 0.1, 0.25 - 0.1, 0.9 - 0.1))
