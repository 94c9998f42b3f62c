"""Concept tables come back as they were written, and a broken one says which cell is."""

import importlib.util
import logging
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qscore.errors import UserError, UserFileNotFoundError
from qscore.interpretability.reverse_probing.concepts import labels_of, make_concepts
from qscore.interpretability.reverse_probing.tables import load_concepts, save_concepts
from qscore.records import Concepts

has_pyarrow = importlib.util.find_spec("pyarrow") is not None
with_pyarrow = pytest.mark.skipif(not has_pyarrow, reason="pyarrow is not installed")
KINDS = [".csv", ".npz", pytest.param(".parquet", marks=with_pyarrow)]
TEXTS = st.text(string.ascii_letters + '0 ,"\n;[ü', min_size=1, max_size=6).filter(lambda text: text == text.strip())


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def complaint(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_concepts(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.fixture
def concepts() -> Concepts:
    present = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=bool)
    return make_concepts(present, ["red", "red", "a, b"], ["colour", "shape", "colour"], ["x/1.jpg", "2", "NA", "nan"])


def same(one: Concepts, other: Concepts) -> bool:
    facts = (one.ids, labels_of(one)) == (other.ids, labels_of(other))
    return facts and bool((one.present.toarray() == other.present.toarray()).all())


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_table_loads_the_same(kind: str, concepts: Concepts, tmp_path: Path) -> None:
    save_concepts(concepts, tmp_path / f"table{kind}")
    assert same(load_concepts(tmp_path / f"table{kind}"), concepts)


@pytest.mark.parametrize("kind", [".csv", ".npz"])
@settings(max_examples=50, deadline=None)
@given(
    names=st.lists(TEXTS, min_size=1, max_size=4, unique=True),
    ids=st.lists(TEXTS, min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 99),
)
def test_any_names_and_ids_come_back(
    kind: str, names: list[str], ids: list[str], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    present = np.random.default_rng(seed).random((len(ids), len(names))) < 0.5
    present[0] = True
    concepts = make_concepts(present, names, "g", ids)
    path = tmp_path_factory.mktemp("any") / f"table{kind}"
    save_concepts(concepts, path)
    assert same(load_concepts(path), concepts)


def test_a_header_without_a_group_takes_that_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "scenes.csv", "\ufeffbeach, [time] night ,id\nTrue,0,a\n0,true,b\n\n1,FALSE,c\n")
    concepts = load_concepts(path)
    assert labels_of(concepts) == ("[scenes] beach", "[time] night")
    assert concepts.present.toarray().tolist() == [[1, 0], [0, 1], [1, 0]]
    assert concepts.ids == ("a", "b", "c")


def test_the_long_form_is_the_wide_one(tmp_path: Path) -> None:
    long = written(tmp_path / "t.csv", "id,concept\nb,[x] dog\na,cat\nb,cat\nb,cat\nc,\n")
    from_long = load_concepts(long)
    assert same(from_long, load_concepts(written(long, "id,[x] dog,cat\nb,1,1\na,0,1\nc,0,0\n")))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name,red\na,1\n", ["'id'", "name", "red"]),
        ("id;red\na;1\n", ["'id'", "id;red"]),
        ("", ["no columns"]),
        ("id\na\n", ["for each concept"]),
        ("id,red\n", ["a row for each sample"]),
        ("id,red\na,1\n,1\n", ["id", "row 2"]),
        ("id,red\na,1\nb,1\na,0\n", ["sample", "a more than once"]),
        ("id,red,[t] red\na,1,0\n", ["concept", "[t] red more than once"]),
        ("id,,red\na,1,0\n", ["a name for every concept"]),
        ("id,red,blue\na,1,0\nb,1,2\n", ["'2'", "'blue'", "'b'"]),
        ("id,red,blue\na,1,0\nb,maybe,1\n", ["'maybe'", "'red'", "'b'"]),
        ("id,red,blue\na,1,0\nb,,1\n", ["no value", "'red'", "'b'"]),
        ("id,red,blue\na,1,0\nb,1\n", ["3 cells", "got 2", "row 2 ('b')"]),
        ('id,red\na,1\nb,"1\n', ["cannot be read"]),
        ("id,red\na,0\nb,0\n", ["apply to none"]),
        ("id,concept\na,red\n,blue\n", ["id", "row 2"]),
    ],
)
def test_a_broken_csv_says_what_is_wrong_where(text: str, named: list[str], tmp_path: Path) -> None:
    said = complaint(written(tmp_path / "t.csv", text))
    assert all(word in said for word in named), said


def test_other_encodings_and_kinds_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("id,grün\na,1\n".encode("latin-1"))
    assert "UTF-8" in complaint(tmp_path / "t.csv")
    with pytest.raises(UserError, match=r"\.xlsx.*\.csv.*\.npz.*\.parquet"):
        load_concepts(tmp_path / "t.xlsx")
    with pytest.raises(UserFileNotFoundError):
        load_concepts(tmp_path / "none.csv")


def test_concepts_of_no_sample_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        concepts = load_concepts(written(tmp_path / "t.csv", "id,red,never,[x] nowhere\na,1,0,0\nb,0,0,0\n"))
    assert concepts.names == ("red",)
    assert "2 concepts" in caplog.text
    assert "[t] never" in caplog.text
    assert "[x] nowhere" in caplog.text


DENSE = {"ids": ["a", "b"], "names": ["red", "blue"], "groups": ["g", "g"], "present": [[1, 0], [0, 1]]}
SPARSE = {**{key: DENSE[key] for key in ("ids", "names")}, "indptr": [0, 1, 2], "indices": [0, 1], "shape": [2, 2]}


def archive(path: Path, content: dict[str, list[object]], **changed: object) -> Path:
    np.savez(path, **{key: np.array(value) for key, value in {**content, **changed}.items() if value is not None})
    return path


def test_dense_and_sparse_archives(tmp_path: Path) -> None:
    dense, sparse = (load_concepts(archive(tmp_path / "g.npz", content)) for content in (DENSE, SPARSE))
    assert same(dense, sparse)
    assert labels_of(dense) == ("[g] red", "[g] blue")


@pytest.mark.parametrize(
    ("content", "changed", "named"),
    [
        (DENSE, {"ids": None}, ["'ids'"]),
        (DENSE, {"ids": ["a", ""]}, ["id", "row 2"]),
        (DENSE, {"ids": ["a", "a"]}, ["a more than once"]),
        (DENSE, {"names": ["red", "red"]}, ["[g] red more than once"]),
        (DENSE, {"groups": ["g"]}, ["names and groups"]),
        (DENSE, {"present": [[1, 0], [3, 1]]}, ["'3'", "'[g] red'", "'b'"]),
        (DENSE, {"present": [[1, 0], [np.nan, 1]]}, ["no value", "'[g] red'", "'b'"]),
        (DENSE, {"present": [[1], [0]]}, ["2 ids and 2 names", "(2, 1)"]),
        (DENSE, {"present": None}, ["indptr, indices, shape"]),
        (SPARSE, {"indices": [0, 5]}, ["compressed sparse row"]),
        (SPARSE, {"indptr": [0, 3, 2]}, ["compressed sparse row"]),
        (SPARSE, {"shape": [2]}, ["compressed sparse row"]),
        (SPARSE, {"shape": [2, 3]}, ["2 rows and 3 columns"]),
    ],
)
def test_a_broken_archive_says_what_is_wrong(
    content: dict[str, list[object]], changed: dict[str, object], named: list[str], tmp_path: Path
) -> None:
    said = complaint(archive(tmp_path / "t.npz", content, **changed))
    assert all(word in said for word in named), said


class Bomb:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_pickled_objects_are_never_unpickled(tmp_path: Path) -> None:
    bomb = np.array([Bomb(tmp_path / "exploded"), None], dtype=object)
    np.savez(tmp_path / "t.npz", **{**{key: np.array(value) for key, value in DENSE.items()}, "ids": bomb})
    assert "objects" in complaint(tmp_path / "t.npz")
    bomb.dump(tmp_path / "whole.npz")
    complaint(tmp_path / "whole.npz")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_file_is_not_half_a_table(kind: str, concepts: Concepts, tmp_path: Path) -> None:
    path = tmp_path / f"t{kind}"
    save_concepts(concepts, path)
    path.write_bytes(path.read_bytes()[:-4])
    complaint(path)
    path.write_bytes(b"")
    complaint(path)


def test_a_label_that_would_not_come_back_is_refused(tmp_path: Path) -> None:
    odd = make_concepts(np.ones((1, 1), bool), ["c"], "a] b", ["x"])
    with pytest.raises(UserError, match=r"a\] b"):
        save_concepts(odd, tmp_path / "t.csv")
    save_concepts(odd, tmp_path / "t.npz")
    assert same(load_concepts(tmp_path / "t.npz"), odd)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert "qscore[parquet]" in complaint(written(tmp_path / "t.parquet", "PAR1"))


@with_pyarrow
@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"red": [True, False]}, ["'id'"]),
        ({"id": [1, 2]}, ["for each concept"]),
        ({"id": ["a", None], "red": [1, 0]}, ["id", "row 2"]),
        ({"id": [1.5, 2.0], "red": [1, 0]}, ["1.5", "row 1"]),
        ({"id": ["a", "b"], "red": [1, None]}, ["no value", "'red'", "'b'"]),
        ({"id": ["a", "b"], "red": [0.0, 0.5]}, ["'0.5'", "'red'", "'b'"]),
        ({"id": ["a", "b"], "red": ["yes", "1"]}, ["'yes'", "'red'", "'a'"]),
    ],
)
def test_a_broken_parquet_file_says_what_is_wrong(
    columns: dict[str, list[object]], named: list[str], tmp_path: Path
) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    said = complaint(tmp_path / "t.parquet")
    assert all(word in said for word in named), said


@with_pyarrow
def test_columns_of_numbers_texts_and_truth_values_say_the_same(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    columns = {"id": [7, 8], "a": [1, 0], "b": [True, False], "c": [1.0, 0.0], "d": ["true", "0"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    concepts = load_concepts(tmp_path / "t.parquet")
    assert concepts.present.toarray().tolist() == [[1] * 4, [0] * 4]
    assert concepts.ids == ("7", "8")
