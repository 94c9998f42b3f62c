"""An exported encoder gives the same features in the library it was exported to."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import Tensor

from qscore import Encoder, load_encoder
from qscore.encoders import save_encoder
from qscore.encoders.__main__ import main
from qscore.errors import UserError
from tests.encoders.test_checkpoints import stirred

MEAN, STD = (0.4, 0.5, 0.6), (0.3, 0.2, 0.1)
VIT = {"patch_size": 16, "img_size": 64, "depth": 2, "global_pool": "token", "dynamic_img_size": True}
HUGGINGFACE = """
import sys, torch, transformers
folder, features = sys.argv[1:]
images = torch.load(f"{folder}/images.pt")
model = transformers.AutoModel.from_pretrained(folder).eval()
with torch.no_grad():
    x = images
    found = eval(features.split("features = ")[1])
torch.save(found, f"{folder}/features.pt")
"""


TRANSFORMERS = """
import json, sys, torch, transformers
kind, settings, folder = sys.argv[1:]
torch.manual_seed(0)
model = getattr(transformers, kind + "Model")(getattr(transformers, kind + "Config")(**json.loads(settings))).eval()
for parameter in model.parameters():
    torch.nn.init.normal_(parameter, std=0.1)
model.save_pretrained(folder)
images = torch.rand(3, 3, 32, 32)
with torch.no_grad():
    torch.save((images, model(images)[0][:, 0]), f"{folder}/images.pt")
"""
SMALL_VIT = {
    **{"image_size": 32, "patch_size": 8, "hidden_size": 32, "intermediate_size": 64},
    **{"num_hidden_layers": 2, "num_attention_heads": 2},
}
SMALL_RESNET = {"embedding_size": 64, "hidden_sizes": [256, 512, 1024, 2048]}


def build(name: str) -> Encoder:
    options: dict[str, Any] = {"timm/vit_small_patch16_224": {"options": VIT}}.get(name, {})
    encoder = Encoder(name, mean=MEAN, std=STD, **options)
    stirred(encoder.network)
    return encoder.eval()


def exported(
    encoder: Encoder, target: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[Path, str, Tensor, Tensor]:
    """The folder, how to load it, images in [0, 1], and their representations."""
    save_encoder(encoder, run, image_size=64)
    assert main(["export", str(run), "--to", target]) == 0
    images = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        return run / f"export-{target}", capsys.readouterr().out.strip(), images, encoder(images)


def normalised(images: Tensor) -> Tensor:
    return torchvision.transforms.functional.normalize(images, list(MEAN), list(STD))


def close(found: Tensor, expected: Tensor) -> None:
    """To 1e-5 of the largest feature: libraries lay out their convolutions differently, and round so."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_torchvision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, images, expected = exported(build("resnet18"), "torchvision", tmp_path, capsys)
    model = torchvision.models.resnet18()
    model.fc = torch.nn.Identity()
    model.load_state_dict(torch.load(folder / "resnet18.pth", weights_only=True))
    with torch.no_grad():
        close(model.eval()(normalised(images)), expected)


@pytest.mark.parametrize("name", ["resnet18", "timm/vit_small_patch16_224", "timm/convnext_atto"])
def test_timm(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, images, expected = exported(build(name), "timm", tmp_path, capsys)
    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()
    data = timm.data.resolve_model_data_config(model)
    assert (tuple(data["mean"]), tuple(data["std"])) == (MEAN, STD)
    with torch.no_grad():
        close(model(normalised(images)), expected)
        close(load_encoder(folder)(images), expected)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "timm/vit_small_patch16_224"])
def test_huggingface(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, how, images, expected = exported(build(name), "huggingface", tmp_path, capsys)
    torch.save(normalised(images), folder / "images.pt")
    # In a process of its own: transformers warns while it is imported, and warnings are errors here.
    subprocess.run([sys.executable, "-c", HUGGINGFACE, str(folder), how], check=True, capture_output=True)
    close(torch.load(folder / "features.pt", weights_only=True), expected)
    with torch.no_grad():
        close(load_encoder(folder)(images), expected)


def saved_by_transformers(kind: str, settings: dict[str, Any], folder: Path) -> Path:
    command = [sys.executable, "-c", TRANSFORMERS, kind, json.dumps(settings), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_what_transformers_says_of_its_network_is_heard(tmp_path: Path) -> None:
    """Neither the epsilon of a layer norm nor the number of heads is in the shapes."""
    folder = saved_by_transformers("ViT", {**SMALL_VIT, "layer_norm_eps": 0.1}, tmp_path)
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": False, "image_mean": [0.5] * 3}))
    images, expected = torch.load(folder / "images.pt", weights_only=True)
    with torch.no_grad():
        close(load_encoder(folder)(images), expected)


@pytest.mark.parametrize(
    "settings", [("ViT", {**SMALL_VIT, "hidden_act": "relu"}), ("ResNet", {**SMALL_RESNET, "hidden_act": "gelu"})]
)
def test_another_activation_is_refused(settings: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="hidden_act"):
        load_encoder(saved_by_transformers(*settings, tmp_path))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"options": {"padding": "same"}, "stem": "imagenet"}])
def test_onnx(
    options: dict[str, Any],
    make_encoder: Callable[..., Encoder],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    encoder = make_encoder(mean=MEAN, std=STD, **options).eval()
    folder, _, images, expected = exported(encoder, "onnx", tmp_path, capsys)
    session = onnxruntime.InferenceSession(str(folder / "encoder.onnx"))
    (found,) = session.run(None, {"images": images.numpy()})
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-5)
    (one,) = session.run(None, {"images": images[:1].numpy()})
    np.testing.assert_allclose(one, expected[:1].numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("target", ["torchvision", "timm", "huggingface"])
@pytest.mark.parametrize("options", [{}, {"stem": "imagenet", "width": 1.0, "options": {"padding": "same"}}])
def test_what_a_library_cannot_build_is_refused(
    target: str,
    options: dict[str, Any],
    make_encoder: Callable[..., Encoder],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_encoder(make_encoder(**options), tmp_path)
    assert main(["export", str(tmp_path), "--to", target]) == 2
    assert "export it with --to onnx" in capsys.readouterr().err
