"""What must hold after a kill: every file is whole; and after going on: the outcome of an undisturbed run."""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open

from qscore.files import UNFINISHED

NOT_READ = {".hydra", ".partial"}  # what Hydra notes for people; what only its own stage reads, whole or not


def broken_files(home: Path) -> list[str]:
    """Returns the files under their final names that cannot be read to their end."""
    broken = []
    for path in sorted(home.rglob("*")):
        read = READERS.get(path.suffix)
        apart = any(part in NOT_READ or part.endswith(".partial") for part in path.relative_to(home).parts)
        if read is None or apart or not path.is_file() or path.name.startswith(UNFINISHED):
            continue
        try:
            read(path)
        except Exception as error:  # whatever it is, the file is not whole
            broken.append(f"{path.relative_to(home)}: {type(error).__name__}: {error}")
    return broken


def num_unfinished(home: Path) -> int:
    """Returns how many files lie there that killed processes had begun."""
    return sum(1 for _ in home.rglob(f"{UNFINISHED}*"))


def outcome(home: Path) -> dict[str, Any]:
    """Returns what an interruption must not change: weights, D, steps, results, and every logged loss."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in home.rglob("*") if not path.name.startswith(UNFINISHED)):
        name = str(path.relative_to(home))
        is_kept = path.parent.name == "representations" and path.suffix == ".safetensors"
        if is_kept or path.name in ("encoder.safetensors", "table1.csv", "comparison.csv", "per_class.csv"):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.name == "run.json":
            facts = json.loads(path.read_text())
            found[name] = {key: facts.get(key) for key in ("status", "num_steps", "final_metrics", "started_with")}
            found[f"{name} losses"] = losses(path.parent)
        elif path.name in ("discriminative_features.json", "q_score_histograms.json", "guard.json"):
            found[name] = json.loads(path.read_text())
        elif "results" in path.parts and path.suffix == ".json":
            found[name] = json.loads(path.read_text())["metrics"]
        elif path.suffix in (".png", ".html"):
            found[name] = "there"
    return found


def losses(run: Path) -> dict[str, str]:
    """Returns the loss logged at each step, over `metrics.csv` and what interruptions left beside it."""
    found = {}
    earlier = sorted(run.glob("metrics.*.csv"), key=lambda path: int(path.name.split(".")[1]))
    for path in [*earlier, run / "metrics.csv"]:
        if path.is_file():
            with path.open() as file:
                found |= {row["step"]: row["train/loss"] for row in csv.DictReader(file) if row.get("train/loss")}
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Returns the names under which two outcomes differ."""
    return sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))


def _read_csv(path: Path) -> None:
    with path.open() as file:
        rows = list(csv.reader(file, strict=True))
    if len({len(row) for row in rows}) > 1:
        raise ValueError("rows of different lengths")


def _read_html(path: Path) -> None:
    if not path.read_text().rstrip().endswith("</html>"):
        raise ValueError("no end")


def _read_safetensors(path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118 - it is no mapping
            file.get_tensor(name)


def _read_image(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def _read_npz(path: Path) -> None:
    with np.load(path) as file:
        for name in file.files:
            file[name]


def _read_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise ValueError("integrity_check")
    finally:
        connection.close()


READERS: dict[str, Callable[[Path], object]] = {
    ".json": lambda path: json.loads(path.read_text()),
    ".jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
    ".csv": _read_csv,
    ".html": _read_html,
    ".safetensors": _read_safetensors,
    ".ckpt": lambda path: torch.load(path, map_location="cpu", weights_only=True),
    ".png": _read_image,
    ".npz": _read_npz,
    ".sqlite": _read_sqlite,
}
