"""Files about samples are put in one order, and what they lack or say twice is named."""

from pathlib import Path

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.questions.group_files import read_group_files
from qscore.interpretability.forced_choice.questions.of_files import questions
from qscore.interpretability.forced_choice.trials import TrialDesign
from qscore.interpretability.forced_choice.words.sentences import tfidf


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    path = tmp_path / "groups.csv"
    path.write_text("id,cluster\nc,1\na,0\nb,-1\n")
    return path


def written(folder: Path, text: str) -> Path:
    path = folder / "said.csv"
    path.write_text(text)
    return path


def test_everything_is_in_the_order_of_the_grouping_whoever_else_is_in_a_file(groups: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", ids=np.array(["z", "b", "a", "c"]), features=np.arange(8).reshape(4, 2))
    captions = written(tmp_path, 'id,caption\nb,"by, the sea"\na,\na,first\na,second\nz,\nc,c\n')
    found = read_group_files(groups, features=tmp_path / "f.npz", captions=captions)
    assert (found.ids, found.grouping.clusters.tolist(), found.grouping.source) == (
        ("c", "a", "b"),
        [1, 0, -1],
        "groups",
    )
    assert found.features is not None
    assert found.features.tolist() == [[6, 7], [4, 5], [2, 3]]
    assert found.captions == ("c", "first", "by, the sea")
    assert found.labels is None


def test_who_is_in_no_group_needs_no_label_and_no_caption(tmp_path: Path) -> None:
    """And changes neither the number of classes nor which caption is chosen."""
    rows = [f"{group}-{i},{group}" for group in (0, 1) for i in range(10)]
    found = []
    for name, more in (("without", []), ("with", ["nobody,-1"])):
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["id,cluster", *rows, *more]))
        labels, captions = tmp_path / "labels.csv", tmp_path / "captions.csv"
        labels.write_text("\n".join(["id,label", *(f"{row[:3]},{'yxxxxxxxxx'[int(row[2])]}" for row in rows)]))
        captions.write_text("\n".join(["id,caption", *(f"{row[:3]},thing {row[:3]}" for row in rows)]))
        filed = read_group_files(path, labels=labels, captions=captions)
        design = TrialDesign(num_references=2, num_trials=1)
        groups = questions(filed, design=design, sentence_encoder=tfidf).groups
        found.append([(fact.purity, fact.caption, fact.common_label) for fact in groups.values()])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("argument", "text", "message"),
    [
        ("labels", "id,label\na,x\na,y\nb,x\nc,x\n", "one value for a in said.csv, got x and y"),
        ("captions", "id,caption\na,\nb,x\nc,x\n", "caption of every sample in a group, got none of 1 out of 2: a"),
        ("descriptions", "group,description\n5,x\n", "2 groups that there are, from 0 to 1, got some of 5"),
        ("descriptions", "group,description\n0,x\n00,x\n", "every group once in said.csv, got 00 again"),
        ("descriptions", "group,description\none,x\n", "numbers of groups in said.csv, got 'one'"),
    ],
)
def test_what_is_missing_or_said_twice_is_named(
    groups: Path, tmp_path: Path, argument: str, text: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read_group_files(groups, **{argument: written(tmp_path, text)})


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"ids": np.array(["a"]), "features": np.zeros((2, 2))}, r"got features \(2, 2\)"),
        ({"ids": np.array(["a"]), "features": np.array([["x"]])}, "of <U1"),
        ({"ids": np.array(["a"]), "features": np.array([[np.nan]])}, "NaN or infinity"),
        ({"ids": np.array(["a"]), "features": np.zeros((1, 2))}, "got none of 2 out of 3: c, b"),
        ({"ids": np.array(["a"], dtype=object), "features": np.zeros((1, 2))}, "plain arrays"),
        ({"ids": np.array(["b", "c", "b"]), "features": np.zeros((3, 2))}, "every id once in f.npz, got b again"),
        ({"h": np.zeros((1, 2))}, "arrays ids and features"),
    ],
)
def test_features_of_another_form_are_refused(
    groups: Path, tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "f.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=message):
        read_group_files(groups, features=tmp_path / "f.npz")
