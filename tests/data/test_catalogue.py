import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torchvision

from qscore.data import Splits
from qscore.data.catalogue import npz_images, torchvision_set
from qscore.data.sources import ArrayImages
from qscore.errors import UserError, UserFileNotFoundError

RANDOM = np.random.default_rng(0)


def test_the_embedded_digits_are_3750_and_1250_with_all_classes(digits: Splits) -> None:
    assert (len(digits.train), len(digits.test)) == (3750, 1250)
    assert digits.train.labels is not None
    assert digits.test.labels is not None
    assert digits.train.labels.bincount().tolist() == [375] * 10
    assert digits.test.labels.bincount().tolist() == [125] * 10
    assert not set(digits.train.ids) & set(digits.test.ids)
    image = digits.train.image(0)
    assert image is not None
    assert (image.size, image.mode) == ((28, 28), "RGB")


def test_npz_with_any_labels_and_any_names(tmp_path: Path) -> None:
    images = RANDOM.integers(0, 255, (40, 8, 8, 3), np.uint8)
    kinds = np.array(["bird", "ape"] * 20)
    np.savez(tmp_path / "x.npz", X=images, kind=kinds, concept=np.arange(40) // 4)
    splits = npz_images(str(tmp_path / "x.npz"), images="X", labels="kind", split_by="concept")
    assert splits.train.class_names == ("ape", "bird")
    assert splits.train.labels is not None
    ids = [int(i) for i in splits.train.ids]
    assert [splits.train.class_names[c] for c in splits.train.labels] == kinds[ids].tolist()
    assert not {i // 4 for i in ids} & {int(i) // 4 for i in splits.test.ids}
    assert npz_images(str(tmp_path / "x.npz"), images="X", labels=None).train.labels is None


def test_npz_mistakes_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UserFileNotFoundError, match="none at"):
        npz_images(str(tmp_path / "no.npz"))
    np.savez(tmp_path / "x.npz", image=np.zeros((4, 8, 8), np.uint8), labels=np.zeros(3))
    with pytest.raises(UserError, match=r"Unknown array 'images'. Did you mean 'image'"):
        npz_images(str(tmp_path / "x.npz"))
    with pytest.raises(UserError, match="Expected 4 entries in 'labels'"):
        npz_images(str(tmp_path / "x.npz"), images="image")
    np.savez(tmp_path / "f.npz", images=np.zeros((4, 8, 8)))
    np.savez(tmp_path / "o.npz", images=np.zeros((4, 8, 8), np.uint8), labels=np.array(["a", 1, None, 2], dtype=object))
    (tmp_path / "junk.npz").write_bytes(b"junk" * 100)
    for name in ("o.npz", "junk.npz"):
        with pytest.raises(UserError, match="plain arrays"):
            npz_images(str(tmp_path / name))
    np.savez(tmp_path / "c.npz", images=np.zeros((4, 3, 8, 8), np.uint8), labels=np.zeros((4, 2)))
    with pytest.raises(UserError, match="one entry an image"):
        npz_images(str(tmp_path / "c.npz"))
    with pytest.raises(UserError, match="uint8"):
        npz_images(str(tmp_path / "c.npz"), labels=None)
    np.savez(tmp_path / "m.npz", images=np.zeros((8, 8, 8, 1), np.uint8), labels=np.arange(8)[:, None] % 2)
    assert npz_images(str(tmp_path / "m.npz")).train.labels is not None
    with pytest.raises(UserError, match="uint8"):
        npz_images(str(tmp_path / "f.npz"), labels=None)


def test_fashion_mnist_from_files_on_disk(tmp_path: Path) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 30), ("t10k", 10)):
        images = struct.pack(">4i", 2051, count, 28, 28) + bytes(count * 784)
        labels = struct.pack(">2i", 2049, count) + bytes(i % 10 for i in range(count))
        for kind, content in (("images-idx3", images), ("labels-idx1", labels)):
            (raw / f"{part}-{kind}-ubyte").write_bytes(content)
            (raw / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    splits = torchvision_set("FashionMNIST", str(tmp_path))
    assert (len(splits.train), len(splits.test)) == (30, 10)
    assert splits.test.class_names[0] == "T-shirt/top"


def test_cifar_and_stl_from_files_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("cifar", "stl10", "utils"):
        name = f"torchvision.datasets.{module}.check_integrity"
        monkeypatch.setattr(name, lambda *_: True)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        content = {"data": RANDOM.integers(0, 255, (6, 3072), np.uint8), "labels": [0, 1, 2, 3, 4, 5]}
        (folder / name).write_bytes(pickle.dumps(content))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"c{i}" for i in range(10)]}))
    cifar = torchvision_set("CIFAR10", str(tmp_path))
    assert (len(cifar.train), len(cifar.test)) == (30, 6)
    assert cifar.pretrain is cifar.train

    stl = tmp_path / "stl10_binary"
    stl.mkdir()
    (stl / "class_names.txt").write_text("\n".join(f"c{i}" for i in range(10)))
    for part, count in (("train", 20), ("test", 10), ("unlabeled", 7)):
        (stl / f"{part}_X.bin").write_bytes(RANDOM.integers(0, 255, (count, 3 * 96 * 96), np.uint8).tobytes())
        (stl / f"{part}_y.bin").write_bytes(bytes(1 + i % 10 for i in range(count)))
    found = torchvision_set("STL10", str(tmp_path))
    assert (len(found.pretrain), len(found.train), len(found.test)) == (27, 20, 10)
    assert found.pretrain.labels is None
    source = torchvision.datasets.STL10(str(tmp_path), split="train")
    assert isinstance(found.train, ArrayImages)
    assert np.array_equal(np.asarray(found.train.image(3)), np.asarray(source[3][0]))


def test_missing_files_say_where_they_belong(tmp_path: Path) -> None:
    with pytest.raises(UserFileNotFoundError, match=r"data.source.root=?[\s\S]*download"):
        torchvision_set("CIFAR10", str(tmp_path))
    with pytest.raises(UserError, match=r"Unknown torchvision data set 'CIFAR11'. Did you mean 'CIFAR10'"):
        torchvision_set("CIFAR11", str(tmp_path))
