"""Images, groups, classes, captions and features of the Tux Paint stamps, as files that a study is made of.

python docs/study/tuxpaint.py DATA.npz OUT

DATA.npz: X (sample, 64, 64, 3) uint8, caption, category, fname. OUT gets images/, groups.csv (k-means of colours and
edges: groups that nobody named), categories.csv (the stamps' own folders as groups) with category_names.csv,
labels.csv, captions.csv and features.npz (what the groups were made of, for hard negatives). How to ask people about
them: docs/how-to/tuxpaint-study.md.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from qscore.interpretability.clusters import quantize

NUM_CLUSTERS, CELL_PX, WHITE = 30, 16, 240


def main(data: str, out: str) -> None:
    """Writes everything, and says what."""
    folder, stamps = Path(out), np.load(data)
    images, categories = stamps["X"], stamps["category"]
    ids = [Path(name).with_suffix("").as_posix() for name in stamps["fname"]]
    ids = [name if ids.count(name) == 1 else f"{name}-{number}" for number, name in enumerate(ids)]
    for name, image in zip(ids, images, strict=True):
        file = folder / "images" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    features = seen(images)
    h = torch.from_numpy(features)
    clusters = quantize(h, num_clusters=NUM_CLUSTERS).assign(h).clusters
    names, numbers = np.unique(categories, return_inverse=True)
    np.savez_compressed(folder / "features.npz", ids=np.array(ids), features=features)
    table(folder / "groups.csv", ("id", "cluster"), zip(ids, clusters.tolist(), strict=True))
    table(folder / "categories.csv", ("id", "cluster"), zip(ids, numbers.tolist(), strict=True))
    table(folder / "category_names.csv", ("group", "description"), enumerate(names.tolist()))
    table(folder / "labels.csv", ("id", "label"), zip(ids, categories.tolist(), strict=True))
    table(folder / "captions.csv", ("id", "caption"), zip(ids, stamps["caption"].tolist(), strict=True))
    print(f"{len(ids)} images, {NUM_CLUSTERS} groups of {features.shape[1]} features, {len(names)} categories in {out}")


def seen(images: np.ndarray) -> np.ndarray:
    """Returns, of each of 16 cells of an image, mean colour and strength of edges; and how its colours are spread."""
    pixels = images.astype(np.float32) / 255
    cells = pixels.reshape(len(pixels), 64 // CELL_PX, CELL_PX, 64 // CELL_PX, CELL_PX, 3).mean((2, 4))
    grey = pixels.mean(-1)
    edges = [np.abs(np.diff(grey, axis=axis, append=1)) for axis in (1, 2)]
    strength = [one.reshape(len(one), 4, CELL_PX, 4, CELL_PX).mean((2, 4)) for one in edges]
    quarters = (images // 64).astype(int) @ np.array([16, 4, 1])
    drawn = (images < WHITE).any(-1)
    colours = [np.bincount(q[d], minlength=64) / max(d.sum(), 1) for q, d in zip(quarters, drawn, strict=True)]
    parts = (cells, *strength, np.sqrt(colours))
    return np.concatenate([part.reshape(len(images), -1) for part in parts], axis=1).astype(np.float32)


def table(path: Path, columns: tuple[str, str], rows: Iterable[tuple[object, object]]) -> None:
    """Writes a CSV of two columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


if __name__ == "__main__":
    main(*sys.argv[1:])
