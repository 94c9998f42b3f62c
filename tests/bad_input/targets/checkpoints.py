"""Weights: everybody's pickles and safetensors, and our own encoder."""

import argparse
import io
import json
import struct
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from safetensors.torch import save, save_file

from qscore.encoders import Encoder
from qscore.encoders.checkpoints import LoadOptions
from qscore.encoders.export import save_encoder
from qscore.encoders.inspection import inspect_checkpoint
from qscore.encoders.loading import load_encoder
from tests.bad_input.archives import bomb, code, members, packed
from tests.bad_input.spoiling import BYTES, JSON
from tests.bad_input.trying import CANARY, Files, Target

TORCH = (*BYTES, *([members] * 8))


@cache
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder("resnet10", width=0.0625, stem="cifar").eval()


def torchvision_state() -> dict[str, Any]:
    network = encoder().network
    return OrderedDict((name, value) for name, value in network.state_dict().items() if not name.startswith("fc."))


def lightning() -> dict[str, Any]:
    weights = {f"student_backbone.{name}": value for name, value in torchvision_state().items()}
    args = argparse.Namespace(lr=0.1, arch="resnet10")
    return {"state_dict": weights, "epoch": 3, "hyper_parameters": {"lr": 0.1}, "args": args, "optimizer_states": []}


def plain(folder: Path) -> None:
    torch.save({"state_dict": torchvision_state(), "epoch": 1}, folder / "model.pth")


def old_format(folder: Path) -> None:
    torch.save({"state_dict": torchvision_state()}, folder / "model.pth", _use_new_zipfile_serialization=False)


def with_settings(folder: Path) -> None:
    torch.save(lightning(), folder / "model.pth")


def huggingface(folder: Path) -> None:
    save_file(
        {name: value.contiguous() for name, value in torchvision_state().items()},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    config = {"model_type": "resnet", "hidden_act": "relu", "num_attention_heads": 2, "hidden_size": 32}
    (folder / "config.json").write_text(json.dumps({**config, "pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}))
    statistics = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.2, 0.2, 0.2], "do_normalize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(statistics))


def ours(folder: Path) -> None:
    save_encoder(encoder(), folder, method="simclr", data="digits", image_size=28)


def read_foreign(folder: Path) -> object:
    inspect_checkpoint(folder / "model.pth", LoadOptions())
    return load_encoder(folder / "model.pth", architecture="resnet10")


def finite(_: Path, found: Any) -> None:
    """What was accepted computes numbers."""
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert all(bool(value.isfinite().all()) for value in found.state_dict().values())
    assert found.feature_dim == found(images).shape[1]


def as_written(folder: Path, found: Any) -> None:
    """Our own encoder has the weights that another reader of the format finds, and its settings are those beside it."""
    finite(folder, found)
    stored = safetensors.numpy.load_file(folder / "encoder.safetensors")
    state = found.network.state_dict()
    assert all(
        (state[name].numpy() == value).all() and state[name].numpy().dtype == value.dtype
        for name, value in stored.items()
    )
    settings = json.loads((folder / "encoder.json").read_text())
    assert found.settings["mean"] == settings["mean"]
    assert found.settings["std"] == settings["std"]


def saved(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def with_weight(change: Any) -> Files:
    """The first weights are other ones."""
    state = torchvision_state()
    name = next(iter(state))
    return {"model.pth": saved({"state_dict": {**state, name: change(state[name])}})}


def lying_size() -> Files:
    """A tensor that is larger than the storage it lies in, of which the pickle alone knows."""
    state = torchvision_state()
    data = saved({"state_dict": {"conv1.weight": torch.arange(7.0), **state}})
    return {"model.pth": data.replace(b"K\x07\x85", b"K\xff\x85")}


def nested(depth: int = 3000) -> dict[str, Any]:
    content: dict[str, Any] = torchvision_state()
    for _ in range(depth):
        content = {"a": content}
    return content


def deep_pickle() -> Files:
    return {"model.pth": b"\x80\x02" + b"}X\x01\x00\x00\x00a" * 20000 + b"K\x01" + b"s" * 20000 + b"."}


def lying_header(shape: list[int], *, offsets: list[int]) -> bytes:
    header = json.dumps({"conv1.weight": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(16)


HOSTILE: dict[str, Any] = {
    "pickle that runs code": lambda: {"model.pth": code(CANARY)},
    "newest pickle that runs code": lambda: {"model.pth": code(CANARY, 5)},
    "archive that runs code": lambda: {"model.pth": packed([("a/data.pkl", code(CANARY)), ("a/version", b"3")])},
    "archive with a bomb": lambda: {"model.pth": bomb({"model/x": np.ones(1)}, "model/x")},
    "NaN": lambda: with_weight(lambda w: w * float("nan")),
    "infinite": lambda: with_weight(lambda w: w / 0),
    "whole numbers": lambda: with_weight(lambda w: w.long()),
    "complex": lambda: with_weight(lambda w: w + 1j),
    "half": lambda: with_weight(lambda w: w.half()),
    "sparse": lambda: with_weight(lambda w: w.to_sparse()),
    "meta": lambda: with_weight(lambda w: w.to("meta")),
    "no element": lambda: with_weight(lambda w: w[:0]),
    "one number seen a trillion times": lambda: with_weight(lambda w: torch.zeros(1).expand(10**12)),
    "expanded weights of a huge network": lambda: {
        "model.pth": saved({"state_dict": {n: torch.zeros(1).expand(10**5, 10**5, 3, 3) for n in torchvision_state()}})
    },
    "tensor outside of its storage": lying_size,
    "nested": lambda: {"model.pth": saved_deep()},
    "deep pickle": deep_pickle,
    "a list": lambda: {"model.pth": saved([1, 2])},
    "keys that are no texts": lambda: {"model.pth": saved({1: torch.ones(2), None: {(): torch.ones(1)}})},
    "a hundred thousand keys": lambda: {"model.pth": saved({f"layer{i}.weight": 0 for i in range(100_000)})},
    "itself inside": lambda: {"model.pth": saved(around_itself())},
}


def saved_deep() -> bytes:
    import sys

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        return saved(nested(700))
    finally:
        sys.setrecursionlimit(before)


def around_itself() -> dict[str, Any]:
    content: dict[str, Any] = dict(torchvision_state())
    content["model"] = content
    return content


def own(**settings: Any) -> Files:
    known = {**encoder().settings, **settings}
    return {"encoder.json": json.dumps(known).encode()}


def own_weights(change: Any) -> Files:
    state = encoder().network.state_dict()
    return {"encoder.safetensors": save({name: change(value).contiguous() for name, value in state.items()})}


OWN_HOSTILE: dict[str, Any] = {
    "NaN": lambda: own_weights(lambda w: w * float("nan")),
    "doubles": lambda: own_weights(lambda w: w.double()),
    "whole numbers": lambda: own_weights(lambda w: w.long()),
    "wide": lambda: own(width=1e6),
    "widest": lambda: own(width=1e300),
    "negative width": lambda: own(width=-1),
    "width of text": lambda: own(width="1"),
    "no number as width": lambda: own(width=float("nan")),
    "unhashable architecture": lambda: own(architecture=["resnet10"]),
    "another library's network of any size": lambda: own(
        architecture="timm/vit_tiny_patch16_224", stem="imagenet", width=1.0, options={"img_size": 10**6}
    ),
    "std of zero": lambda: own(std=[0, 0.1, 0.1]),
    "infinite mean": lambda: own(mean=[float("inf"), 0, 0]),
    "mean of two": lambda: own(mean=[0.5, 0.5]),
    "mean of one": lambda: own(mean=[0.5], std=[0.5]),
    "mean of text": lambda: own(mean="abc"),
    "options of text": lambda: own(options="abc"),
    "a list": lambda: {"encoder.json": b"[]"},
    "huge header": lambda: {"encoder.safetensors": struct.pack("<Q", 1 << 40) + b"{}"},
    "lying shape": lambda: {"encoder.safetensors": lying_header([10**12], offsets=[0, 16])},
    "lying offsets": lambda: {"encoder.safetensors": lying_header([4], offsets=[0, 4 * 10**12])},
    "overflowing shape": lambda: {"encoder.safetensors": lying_header([2**63, 2**63], offsets=[0, 16])},
}

TARGETS = [
    Target("checkpoint, torch", plain, read_foreign, {".pth": TORCH}, HOSTILE, finite),
    Target("checkpoint, old torch", old_format, read_foreign, {".pth": BYTES}, {}, finite),
    Target("checkpoint, Lightning", with_settings, read_foreign, {".pth": TORCH}, {}, finite),
    Target(
        "checkpoint, transformers",
        huggingface,
        lambda folder: load_encoder(folder, architecture="resnet10"),
        {".safetensors": BYTES, ".json": JSON},
        {},
        finite,
    ),
    Target("encoder, our own", ours, load_encoder, {".safetensors": BYTES, ".json": JSON}, OWN_HOSTILE, as_written),
]
