"""Names that say the same: the paper's examples, a person's judgement before any rule, shares by hand."""

from pathlib import Path

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.naming.compatibility import (
    Words,
    compatibility,
    load_judgements,
    names_of,
    save_judgements,
)
from qscore.interpretability.naming.matching import match_namings

WORDS = Words(synonyms={"nose": "beak"})


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        ("Eye", "eyes", "exact"),
        ("beak", "Nose", "exact"),
        ("Wing and Eye", "eye/wing", "exact"),
        ("Open Wing", "Wing", "subset"),
        ("Wing", "Wing and Eye", "subset"),
        ("Tail", "Wing", "none"),
        ("Feet", "wing shape", "none"),
        ("Eye and beak", "Body", "none"),
        ("", "wing", "none"),
        ("", "", "none"),
        ("the part", "of the", "none"),
    ],
)
def test_relations_of_the_papers_examples(first: str, second: str, relation: str) -> None:
    assert WORDS.relation(first, second) == WORDS.relation(second, first) == relation


@pytest.mark.parametrize(
    "forms",
    [
        *("moustache moustaches", "lens lenses", "knife knives", "cookie cookies", "axe axes", "leaf leaves"),
        *("glove gloves", "berry berries", "box boxes", "glass glasses", "eye eyes", "half halves", "foot feet"),
        *("iris irises", "bus buses"),
    ],
)
def test_a_plural_means_the_same(forms: str) -> None:
    one, several = forms.split()
    assert Words().relation(one, f"{several} and {one}") == Words().relation(several, one.title()) == "exact"


@pytest.mark.parametrize("synonyms", [{"Nose": "beak"}, {"noses": "beak"}, {"nose": "Beaks"}])
def test_synonyms_are_words_in_any_form(synonyms: dict[str, str]) -> None:
    assert Words(synonyms=synonyms).relation("long Noses", "long beak") == "exact"
    assert Words(synonyms=synonyms).relation("a rose", "beak") == "none"


@pytest.mark.parametrize(("first", "second"), [("cave", "cafe"), ("knife", "knit"), ("as", "a"), ("grass", "gras")])
def test_words_that_look_like_plurals_are_not_taken_for_one_another(first: str, second: str) -> None:
    assert Words().relation(first, second) == "none"


def test_shares_are_of_the_matched_weight_and_judgements_decide(tmp_path: Path) -> None:
    first = np.repeat([0, 1, 2, 3], [5, 3, 2, 4])
    matching = match_namings(first, first, shape="one_to_one")
    names, others = ["wing", "open wing", "head", "eye"], ["wings", "wing", "feather", "tail"]
    found = compatibility(matching, names, others)
    assert (found.exact, found.subset) == (5 / 14, 8 / 14)
    judged = {names_of("Feather", "head"): "exact", names_of("wing", "wings"): "none"}
    save_judgements(judged, tmp_path / "names.csv")
    assert load_judgements(tmp_path / "names.csv") == judged
    found = compatibility(matching, names, others, Words(judged))
    assert (found.exact, found.subset) == (2 / 14, 5 / 14)
    assert np.isnan(compatibility(match_namings(np.array([-1]), np.array([0])), [], [""]).exact)


def test_what_is_no_table_of_judgements(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("first,second,relation\neye,head,same\n")
    with pytest.raises(UserError, match="Unknown relation 'same'"):
        load_judgements(path)
    path.write_text("first,second,relation\neye,head,exact\nHead,eye,none\n")
    with pytest.raises(UserError, match="got two"):
        load_judgements(path)
