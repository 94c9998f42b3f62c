"""Records of activations and namings: read as they were written, exported for reverse probing, simulated."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.naming.activations import (
    Activations,
    find_activations,
    load_activations,
    save_activations,
)
from qscore.interpretability.naming.coverage import coverage
from qscore.interpretability.naming.export import export_namings
from qscore.interpretability.naming.matching import match_namings
from qscore.interpretability.naming.namings import (
    Concept,
    Naming,
    checked,
    concept_numbers,
    load_naming,
    save_naming,
    without_concepts,
)
from qscore.interpretability.naming.simulate import KINDS, simulated
from qscore.interpretability.reverse_probing.experts.namings import load_namings, read_namings


def some_activations(num: int = 60) -> Activations:
    terms = np.random.default_rng(0).normal(size=(num, 5))
    terms[3] = -1
    groups = ["cat" if i % 2 else "dög" for i in range(num)]
    return find_activations(terms, [f"{i}.png" for i in range(num)], groups, source="discriminative", fingerprint="f")


def some_naming(activations: Activations, num_concepts: int = 3) -> Naming:
    """Of each group and feature a concept, the others left alone; the first of every group is noise."""
    concepts = [
        Concept(
            f"c{group}{k}",
            group,
            f"{group} {k}",
            tuple(a.activation_id for a in activations.activations if (a.group, a.feature) == (group, k))[1:],
        )
        for group in activations.groups
        for k in range(num_concepts)
    ]
    first = [
        next(a.activation_id for a in activations.activations if (a.group, a.feature) == (g, 0)) for g in ("cat", "dög")
    ]
    return checked(Naming("eva", activations.fingerprint, tuple(concepts), tuple(first)), activations)


def test_activations_are_the_significant_terms(tmp_path: Path) -> None:
    terms = np.array([[5.0, 4.0, 0.5], [-1.0, 0.0, -2.0], [1.0, 0.0, 0.0]])
    found = find_activations(terms, ["a", "b", "c"], ["x", "y", "x"], source="probe", fingerprint="f")
    assert [(a.sample, a.group, a.feature) for a in found.activations] == [("a", "x", 0), ("a", "x", 1), ("c", "x", 0)]
    assert [a.share for a in found.activations] == [5 / 9.5, 4 / 9.5, 1]
    assert (found.without_evidence, found.groups) == ({"y": ("b",)}, ("x",))
    assert len({a.activation_id for a in found.activations}) == 3
    with pytest.raises(UserError, match="same images"):
        find_activations(terms, ["a"], ["x", "y", "x"], source="probe", fingerprint="f")


def test_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    activations = dataclasses.replace(some_activations(), method="excitation_backprop", layer="layer2", notes=("ü",))
    naming = some_naming(activations)
    save_activations(activations, tmp_path / "a.jsonl")
    save_naming(naming, tmp_path / "n.jsonl")
    assert load_activations(tmp_path / "a.jsonl") == activations
    assert load_naming(tmp_path / "n.jsonl") == naming


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "whose first line has format"),
        ('"name": "cat 1"', '"name": 1', "as name in line 6"),
        ('"concept_id": "ccat1", ', "", "the fields concept_id"),
        ('"kind": "discarded"', '"kind": "thrown"', "what is discarded in line 8"),
        ('{"kind": "concept"', '["kind"', "JSON in line 2"),
    ],
)
def test_what_is_no_naming(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "n.jsonl"
    save_naming(some_naming(some_activations()), path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match=message):
        load_naming(path)
    with pytest.raises(UserFileNotFoundError):
        load_activations(tmp_path / "none")


def test_a_naming_fits_its_activations() -> None:
    activations = some_activations()
    naming = some_naming(activations)
    one, other = naming.concepts[0], naming.concepts[-1]
    wrong = [
        dataclasses.replace(naming, fingerprint="g"),
        dataclasses.replace(naming, discarded=("nowhere",)),
        dataclasses.replace(naming, discarded=one.activations[:1]),
        dataclasses.replace(naming, concepts=(dataclasses.replace(one, group=other.group),), discarded=()),
        dataclasses.replace(naming, concepts=(one, dataclasses.replace(one, activations=()))),
    ]
    for faulty in wrong:
        with pytest.raises(UserError):
            checked(faulty, activations)


def test_numbers_of_concepts_count_the_discarded_as_unnamed() -> None:
    activations = some_activations()
    naming = some_naming(activations)
    numbers = concept_numbers(naming, activations)
    for activation, number in zip(activations.activations, numbers, strict=True):
        concept = next((c for c in naming.concepts if activation.activation_id in c.activations), None)
        assert (number < 0) == (concept is None)
        assert number < 0 or naming.concepts[number] == concept
    of_cats = concept_numbers(naming, activations, group="cat")
    assert len(of_cats) == sum(a.group == "cat" for a in activations.activations)
    assert concept_numbers(without_concepts(naming, [0]), activations).max() == numbers.max() - 1


def test_an_export_is_what_reverse_probing_reads(tmp_path: Path) -> None:
    activations = some_activations()
    eva = some_naming(activations)
    tom = dataclasses.replace(eva, annotator="tom", concepts=(dataclasses.replace(eva.concepts[0], name=""),))
    export_namings([eva, tom], activations, tmp_path / "namings.csv")
    said = read_namings(tmp_path / "namings.csv")
    assert len(set(said)) == len(said)
    concepts = load_namings(tmp_path / "namings.csv")
    assert set(concepts.groups) == {"eva"}
    assert set(concepts.ids) == {a.sample for a in activations.activations}
    by_id = {name: c.name for c in eva.concepts for name in c.activations}
    for row, sample in enumerate(concepts.ids):
        expected = {by_id.get(a.activation_id) for a in activations.activations if a.sample == sample} - {None}
        found = concepts.present.toarray()[row]
        assert {name for name, there in zip(concepts.names, found, strict=True) if there} == expected
    with pytest.raises(UserError, match="two of eva"):
        export_namings([eva, eva], activations, tmp_path / "namings.csv")


def test_simulated_annotators_agree_as_is_known_beforehand() -> None:
    activations = some_activations(400)
    naming = some_naming(activations, 5)
    own = concept_numbers(naming, activations)
    shapes = ("one_to_one", "star")
    found = {}
    for kind in KINDS:
        other = checked(simulated(naming, activations, kind, "tom", noise=0.3, seed=1), activations)
        assert other == simulated(naming, activations, kind, "tom", noise=0.3, seed=1)
        assert other.annotator == "tom"
        numbers = concept_numbers(other, activations)
        assert (numbers >= 0).sum() == (own >= 0).sum() or kind == "noise"
        found[kind] = [match_namings(own, numbers, shape=shape).agreement for shape in shapes]
    assert found["same"] == [1, 1]
    assert found["split"][0] == pytest.approx(0.5, abs=0.02)
    assert found["merge"][0] == pytest.approx(0.6, abs=0.05)  # of five concepts a group, two pairs are merged
    assert found["split"][1] == found["merge"][1] == 1
    assert found["noise"][0] == pytest.approx(0.7 / (0.7 + 0.3 * 4 / 5), abs=0.03)
    assert found["random"][1] < 0.5
    kept = simulated(naming, activations, "noise", "tom", noise=0.3)
    named = concept_numbers(kept, activations) >= 0
    images = np.unique([a.sample for a in activations.activations], return_inverse=True)[1]
    share = coverage(own >= 0, images).activations
    assert coverage(named, images).activations == pytest.approx(share * (1 - 0.3 / 5), abs=0.02)
    with pytest.raises(UserError, match="Unknown kind"):
        simulated(naming, activations, "lazy", "tom")
    with pytest.raises(UserError, match="share from 0 to 1"):
        simulated(naming, activations, "noise", "tom", noise=10)
