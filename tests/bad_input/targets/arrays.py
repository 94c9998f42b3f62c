"""Arrays in `.npz`, `.npy` and safetensors files."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from scipy.sparse import csr_array

from qscore.data.catalogue import npz_images
from qscore.interpretability.clusters import Quantizer, quantize
from qscore.interpretability.forced_choice.questions.group_files import read_group_files
from qscore.interpretability.groupings import read_clusters
from qscore.interpretability.naming.xnn import XNN, load_xnn
from qscore.interpretability.reverse_probing.experts.colour import read_w2c
from qscore.interpretability.reverse_probing.linear import LinearModel
from qscore.interpretability.reverse_probing.stored import StoredProbe
from qscore.interpretability.reverse_probing.tables import load_concepts, save_concepts
from qscore.records import Concepts, Representations
from qscore.score.storage import load_representations, save_representations
from tests.bad_input.archives import NPY, NPZ, bomb, code, packed, with_head, zeros
from tests.bad_input.spoiling import BYTES
from tests.bad_input.trying import CANARY, Target

IMAGES = np.arange(20 * 8 * 8, dtype=np.uint8).reshape(20, 8, 8)
LABELS = np.arange(20) % 3
IDS = np.array([f"image{i}" for i in range(6)])


def hostile(name: str, arrays: dict[str, np.ndarray], key: str) -> dict[str, Any]:
    """What every reader of an `.npz` file must stand."""
    others = [(f"{other}.npy", npy(array)) for other, array in arrays.items() if other != key]

    def member(data: bytes) -> Any:
        return lambda: {name: packed([*others, (f"{key}.npy", data)])}

    objects = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    return {
        "bomb": lambda: {name: bomb(arrays, key)},
        "pickle for an archive": lambda: {name: code(CANARY)},
        "pickle for an array": member(code(CANARY)),
        "objects": member(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(objects)) + objects + code(CANARY)),
        "says 8 TB": member(with_head(npy(arrays[key]), "'descr': '<f8', 'fortran_order': False, 'shape': (10**12,)")),
        "says a trillion": member(zeros((10**12,), "<f8", num_mb=0)),
        "says it is empty": member(zeros((0,), "<f8", num_mb=0)),
        "endless names": member(zeros((2,), "<U500000000", num_mb=0)),
        "a text": member(b"hello"),
        "an array": lambda: {name: npy(arrays[key])},
        "nothing in it": lambda: {name: packed([])},
    }


def npy(array: np.ndarray) -> bytes:
    import io

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array)
    return buffer.getvalue()


def write(name: str, **arrays: np.ndarray) -> Any:
    return lambda folder: np.savez(folder / name, **arrays)


def strict(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def same_images(folder: Path, found: Any) -> None:
    arrays = strict(folder / "images.npz")
    ids = []
    for source in (found.train, found.test):
        for place, sample in enumerate(source.ids):
            assert (source.images[place] == arrays["images"][int(sample)].reshape(source.images[place].shape)).all()
            assert source.class_names[source.labels[place]] == str(arrays["labels"].ravel()[int(sample)])
        ids += source.ids
    assert sorted(map(int, ids)) == list(range(len(arrays["images"])))


def same_clusters(folder: Path, found: Any) -> None:
    arrays = strict(folder / "clusters.npz")
    expected = zip(arrays["ids"].tolist(), arrays["clusters"].tolist(), strict=True)
    assert found == {str(sample): int(float(cluster)) for sample, cluster in expected}


def same_concepts(folder: Path, found: Any) -> None:
    arrays = strict(folder / "concepts.npz")
    assert found.ids == tuple(map(str, arrays["ids"]))
    assert found.present.shape == (len(found.ids), len(found.names))
    assert set(np.asarray(found.present.data).tolist()) <= {True}


def save_two(folder: Path) -> None:
    present = csr_array(np.array([[1, 0], [0, 1], [1, 1]], bool))
    save_concepts(Concepts(present, ("red", "blue"), ("colour", "colour"), ("a", "b", "c")), folder / "concepts.npz")


def save_dense(folder: Path) -> None:
    np.savez(folder / "concepts.npz", ids=IDS, names=np.array(["red", "blue"]), present=np.eye(6, 2))


def save_stored(folder: Path) -> None:
    model = LinearModel(torch.ones(2, 3), torch.zeros(3))
    StoredProbe(model, ("a", "b"), ("x", "x"), np.arange(3), 0, "lbfgs").save(folder / "file.safetensors")


def save_xnn(folder: Path) -> None:
    XNN(torch.ones(2, 3, 4), torch.zeros(2, 3), torch.ones(2, 3), torch.zeros(2)).save(folder / "file.safetensors")


def save_quantizer(folder: Path) -> None:
    quantize(torch.rand(40, 4, generator=torch.Generator().manual_seed(0)), 3).save(folder / "file.safetensors")


def save_h(folder: Path) -> None:
    found = Representations(torch.rand(6, 4), torch.arange(6) % 2, tuple(IDS.tolist()), ("cat", "dog"), "abc")
    save_representations(found, folder / "file.safetensors")


def same_h(folder: Path, found: Any) -> None:
    stored = safetensors.numpy.load_file(folder / "file.safetensors")
    assert found.h.numpy().tobytes() == stored["h"].tobytes()
    assert len(found.h) == len(found.ids)
    assert found.h.ndim == 2
    assert found.labels is None or (int(found.labels.min()) >= 0 and int(found.labels.max()) < len(found.class_names))


def npz(name: str, key: str, read: Any, holds: Any = None, **arrays: np.ndarray) -> Target:
    file = f"{key if key != 'present' else 'concepts'}.npz"
    return Target(
        name, write(file, **arrays), lambda folder: read(folder / file), {file: NPZ}, hostile(file, arrays, key), holds
    )


def features(file: Path) -> object:
    file.with_name("groups.csv").write_text("id,cluster\n" + "".join(f"image{i},{i % 2}\n" for i in range(6)))
    return read_group_files(file.with_name("groups.csv"), features=file)


SAFE = {".safetensors": BYTES}
TARGETS = [
    npz("npz, images", "images", lambda file: npz_images(str(file)), same_images, images=IMAGES, labels=LABELS),
    npz("npz, groups", "clusters", read_clusters, same_clusters, ids=IDS, clusters=np.arange(6)),
    npz("npz, features", "features", features, None, ids=IDS, features=np.eye(6)),
    Target(
        "npz, concepts",
        save_two,
        lambda folder: load_concepts(folder / "concepts.npz"),
        {".npz": NPZ},
        hostile("concepts.npz", {"names": np.array(["a"]), "ids": IDS[:1], "present": np.eye(1)}, "present"),
        same_concepts,
    ),
    Target(
        "npz, dense concepts",
        save_dense,
        lambda folder: load_concepts(folder / "concepts.npz"),
        {".npz": NPZ},
        {},
        same_concepts,
    ),
    Target(
        "npy, colour names",
        lambda folder: np.save(folder / "w2c.npy", np.zeros((32, 32, 32), np.uint8)),
        lambda folder: read_w2c(folder / "w2c.npy"),
        {".npy": NPY},
        {
            "pickle": lambda: {"w2c.npy": code(CANARY)},
            "says a trillion": lambda: {"w2c.npy": zeros((10**12,), "|u1", num_mb=0)},
        },
    ),
    Target(
        "representations", save_h, lambda folder: load_representations(folder / "file.safetensors"), SAFE, {}, same_h
    ),
    Target("clusters that were kept", save_quantizer, lambda folder: Quantizer.load(folder / "file.safetensors"), SAFE),
    Target("probes that were kept", save_stored, lambda folder: StoredProbe.load(folder / "file.safetensors"), SAFE),
    Target("explanation networks", save_xnn, lambda folder: load_xnn(folder / "file.safetensors"), SAFE),
]
