"""Tables that people write: concepts, captions, descriptions, groups, namings, judgements, lists of classes."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.sparse import csr_array

from qscore.data.folder import image_folder
from qscore.interpretability.forced_choice.questions.group_files import read_group_files
from qscore.interpretability.forced_choice.words.written import read_descriptions
from qscore.interpretability.groupings import read_clusters
from qscore.interpretability.naming.compatibility import load_judgements
from qscore.interpretability.reverse_probing.experts.captions import load_captions, read_captions
from qscore.interpretability.reverse_probing.experts.namings import read_namings
from qscore.interpretability.reverse_probing.tables import load_concepts, save_concepts
from qscore.records import Concepts
from tests.bad_input.spoiling import BYTES, TEXT
from tests.bad_input.trying import Target

HOSTILE: dict[str, Any] = {
    "one cell of 40 MB": lambda name, head: {name: head + b"a," + b"x" * (40 << 20)},
    "a line without an end": lambda name, head: {name: head + b'"' + b"x,\n" * 1_000_000},
    "a million columns": lambda name, head: {name: head[:-1] + b",x" * 1_000_000 + b"\n"},
    "UTF-16": lambda name, head: {name: head.decode().encode("utf-16")},
    "an archive": lambda name, head: {name: b"PK\x03\x04" + b"\x00" * 99},
    "nothing but a head": lambda name, head: {name: head},
    "the same column twice": lambda name, head: {name: head[:-1] + b"," + head},
}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows that the standard library finds, without blanks around cells."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file, strict=True)
        return [{n.strip(): c.strip() for n, c in zip(head, row, strict=True)} for row in rows if row]


def same_concepts(folder: Path, found: Any) -> None:
    rows = rows_of(folder / "table.csv")
    if sorted(rows[0]) == ["concept", "id"]:
        return
    expected = {row["id"]: sum(c.lower() in ("1", "1.0", "true") for n, c in row.items() if n != "id") for row in rows}
    counts = np.diff(found.present.indptr).tolist()
    assert dict(zip((name.strip() for name in found.ids), counts, strict=True)) == expected


def same_captions(folder: Path, found: Any) -> None:
    said: dict[str, list[str]] = {}
    for row in rows_of(folder / "table.csv"):
        said.setdefault(row["id"], []).append(row["caption"])
    assert found == said


def same_clusters(folder: Path, found: Any) -> None:
    expected = {row["id"]: int(float(row["cluster"] or -1)) for row in rows_of(folder / "table.csv")}
    assert {name.strip(): group for name, group in found.items()} == expected


def same_descriptions(folder: Path, found: Any) -> None:
    rows = rows_of(folder / "table.csv")
    assert found == {int(row["group"]): row["description"] for row in rows if row["description"]}


def table(name: str, head: str, rows: list[str], read: Callable[[Path], object], holds: Any = None) -> Target:
    def write(folder: Path) -> None:
        (folder / "table.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")

    made = {what: lambda make=make: make("table.csv", head.encode() + b"\n") for what, make in HOSTILE.items()}
    return Target(name, write, lambda folder: read(folder / "table.csv"), {".csv": TEXT}, made, holds)


def beside(folder: Path) -> object:
    files = {name: folder / f"{name}.csv" for name in ("labels", "captions", "descriptions")}
    return read_group_files(folder / "groups.csv", **files)


def save_beside(folder: Path) -> None:
    ids = [f"a/{i}.png" for i in range(6)]
    texts = {"groups": "id,cluster", "labels": "id,label", "captions": "id,caption"}
    for name, head in texts.items():
        lines = [f"{sample},{i % 2 if name == 'groups' else f'word{i % 2}'}" for i, sample in enumerate(ids)]
        (folder / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n")
    (folder / "descriptions.csv").write_text("group,description\n0,round things\n1,long things\n")


def save_parquet(folder: Path) -> None:
    present = csr_array(np.array([[1, 0], [0, 1], [1, 1]], bool))
    save_concepts(Concepts(present, ("red", "blue"), ("colour", "colour"), ("a", "b", "c")), folder / "table.parquet")


def save_classes(folder: Path) -> None:
    for name in ("cat", "dog"):
        (folder / "images" / name).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (2, 2)).save(folder / "images" / name / f"{i}.png")
    (folder / "classes.txt").write_text("cat\ndog\n")


LONG = [f"image{i},said {i % 3}" for i in range(8)]
TARGETS = [
    table(
        "csv, concepts",
        "id,[colour] red,[colour] blue,round",
        ["a,1,0,true", "b,0,1,false", '"c, d",1,1,0'],
        load_concepts,
        same_concepts,
    ),
    table("csv, long concepts", "id,concept", ["a,[colour] red", "a,round", "b,", "c,round"], load_concepts),
    table("csv, captions", "id,caption", LONG, read_captions, same_captions),
    table("csv, words of captions", "id,caption", LONG, lambda file: load_captions(file, min_count=1)),
    table("csv, descriptions", "group,description", ["0,round", "1,long", "2,"], read_descriptions, same_descriptions),
    table("csv, groups", "id,cluster", [f"image{i},{i % 3}" for i in range(8)], read_clusters, same_clusters),
    table("csv, namings", "id,annotator,concept", ["a,1,wing", "a,2,eye", "b,1,wing"], read_namings),
    table("csv, judgements", "first,second,relation", ["wing,eye,none", "eye,eyes,exact"], load_judgements),
    Target("csv, groups with all beside", save_beside, beside, {".csv": TEXT}),
    Target(
        "parquet, concepts", save_parquet, lambda folder: load_concepts(folder / "table.parquet"), {".parquet": BYTES}
    ),
    Target(
        "list of classes",
        save_classes,
        lambda folder: image_folder(str(folder / "images"), classes=str(folder / "classes.txt")),
        {".txt": TEXT},
    ),
]
