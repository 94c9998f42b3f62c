"""Groups from files, and files that are not what they should be."""

from pathlib import Path

import numpy as np
import pytest

from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.groupings import common_label, load_grouping, members
from qscore.records import Grouping

IDS = ("cat/1.png", "dog/2.png", "dog/3.png")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "self-labels.csv"


def test_clusters_are_looked_up_by_id(path: Path) -> None:
    path.write_text("cluster,id,remark\n7,dog/2.png,a\n,cat/1.png,in none\n0,dog/3.png,\n4,elsewhere.png,\n")
    found = load_grouping(path, IDS)
    assert found.clusters.tolist() == [-1, 7, 0]
    assert found.source == "self-labels.csv"
    path.write_text("\ufeffid,cluster\n1,-1\n0,3.0\n", encoding="utf-8")  # as spreadsheets write it
    assert load_grouping(path, ("0", "1")).clusters.tolist() == [3, -1]


def test_arrays_are_looked_up_as_well(path: Path) -> None:
    path = path.with_suffix(".npz")
    np.savez(path, ids=np.array(IDS[::-1]), clusters=np.array([2, -1, 5], dtype=np.int16))
    assert load_grouping(path, IDS).clusters.tolist() == [5, -1, 2]
    np.savez(path, ids=np.arange(3), clusters=np.array([2, -1, 5]))
    assert load_grouping(path, ("2", "0")).clusters.tolist() == [5, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected the columns id, cluster, got no id"),
        ("name,cluster\na,1\n", "got no id among"),
        ("id,cluster\ncat/1.png,1\n", "none of 2 out of 3: dog/2.png, dog/3.png; self-labels.csv knows cat/1.png"),
        ("id,cluster\ncat/1.png,1\ncat/1.png,1\n", "got cat/1.png again"),
        ("id,cluster\ncat/1.png,tabby\n", "got 'tabby' for cat/1.png"),
        ("id,cluster\ncat/1.png,1.5\n", "got '1.5'"),
        ("id,cluster\ncat/1.png,nan\n", "got 'nan'"),
        ("id,cluster\ncat/1.png,inf\n", "got 'inf'"),
        ("id,cluster\ncat/1.png,-2\n", "got '-2'"),
        ("id,cluster\ncat/1.png\n", "Expected 2 cells in every row"),
    ],
)
def test_what_is_wrong_is_named(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_grouping(path, IDS)


def test_other_files_are_refused(path: Path) -> None:
    with pytest.raises(UserFileNotFoundError, match="found none"):
        load_grouping(path, IDS)
    path.with_suffix(".txt").write_text("0\n")
    with pytest.raises(UserError, match=r"got self-labels\.txt"):
        load_grouping(path.with_suffix(".txt"), IDS)
    np.savez(path.with_suffix(".npz"), labels=np.arange(3))
    with pytest.raises(UserError, match="got labels"):
        load_grouping(path.with_suffix(".npz"), IDS)
    np.savez(path.with_suffix(".npz"), ids=np.array(IDS), clusters=np.arange(2))
    with pytest.raises(UserError, match=r"clusters \(2,\) and ids \(3,\)"):
        load_grouping(path.with_suffix(".npz"), IDS)
    np.savez(path.with_suffix(".npz"), ids=np.array(IDS, dtype=object), clusters=np.arange(3))
    with pytest.raises(UserError, match="npz file of plain arrays"):
        load_grouping(path.with_suffix(".npz"), IDS)
    path.with_suffix(".npz").write_bytes(b"nonsense")
    with pytest.raises(UserError, match="npz file of plain arrays"):
        load_grouping(path.with_suffix(".npz"), IDS)


def test_members_are_of_the_cluster_and_the_common_label_theirs() -> None:
    clusters = np.arange(300) % 6
    grouping = Grouping(clusters, "k")
    shown = members(grouping, 3)
    assert len(np.unique(shown)) == 25
    assert (clusters[shown] == 3).all()
    assert np.array_equal(shown, members(grouping, 3))
    assert common_label(clusters // 2, grouping, 5) == 2
