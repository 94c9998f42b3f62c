"""Files about samples are put in one order, and what they lack or say twice is named."""

from pathlib import Path

import numpy as np
import pytest

from qscore.errors import UserError
from qscore.interpretability.forced_choice.questions.group_files import read_group_files


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


@pytest.mark.parametrize(
    ("argument", "text", "message"),
    [
        ("labels", "id,label\na,x\na,y\nb,x\nc,x\n", "one value for a in said.csv, got x and y"),
        ("captions", "id,caption\na,\nb,x\nc,x\n", "caption of every sample in a group, got none of 1 out of 3: a"),
        ("descriptions", "group,description\n-2,x\n", "some of -2, which are no groups; there are 0, 1"),
        ("descriptions", "group,description\none,x\n", "some of one, which are no groups"),
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
        ({"ids": np.array(["a"], dtype=object), "features": np.zeros((1, 2))}, "arrays ids and features"),
        ({"h": np.zeros((1, 2))}, "arrays ids and features"),
    ],
)
def test_features_of_another_form_are_refused(
    groups: Path, tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "f.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=message):
        read_group_files(groups, features=tmp_path / "f.npz")
