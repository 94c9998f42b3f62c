from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from qscore import Encoder, load_encoder
from qscore.encoders import save_encoder
from qscore.errors import UserError, UserFileNotFoundError


@pytest.mark.parametrize("architecture", ["resnet18", "resnet34", "resnet50"])
def test_features_are_those_of_torchvision_under_the_same_names(architecture: str) -> None:
    reference = getattr(torchvision.models, architecture)(weights=None)
    reference.fc = torch.nn.Identity()
    encoder = Encoder(architecture).eval()
    encoder.network.load_state_dict(reference.state_dict())
    images = torch.rand(2, 3, 64, 64)
    normalised = torchvision.transforms.functional.normalize(images, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    with torch.no_grad():
        found = encoder(images)
        torch.testing.assert_close(found, reference.eval()(normalised), rtol=1e-3, atol=1e-4)
    assert found.shape == (2, encoder.feature_dim)


@pytest.mark.parametrize(
    ("options", "features"),
    [
        ({"architecture": "resnet10", "width": 0.5}, 256),
        ({"architecture": "resnet18", "width": 0.25}, 128),
        ({"architecture": "resnet18", "width": 2.0}, 1024),
        ({"architecture": "resnet50", "width": 0.125}, 256),
    ],
)
@pytest.mark.parametrize("stem", ["imagenet", "cifar", "stl"])
def test_widths_and_stems(options: dict[str, object], features: int, stem: str) -> None:
    encoder = Encoder(**options, stem=stem).eval()  # type: ignore[arg-type]
    assert encoder.feature_dim == features
    assert encoder(torch.rand(1, 3, 32, 32)).shape == (1, features)
    strides = {"imagenet": 32, "cifar": 8, "stl": 16}
    maps = torch.nn.Sequential(*list(encoder.network.children())[:-2])(torch.rand(1, 3, 64, 64))
    assert maps.shape[-1] == 64 // strides[stem]


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(UserError, match="Did you mean 'resnet18'"):
        Encoder("resnet19")
    with pytest.raises(UserError, match=r"Known: cifar, cifar_padding2, imagenet, stl"):
        Encoder(stem="tiny")
    with pytest.raises(UserError, match="whole number"):
        Encoder(width=0.3)


def test_an_export_comes_back_with_its_settings(make_encoder: Callable[..., Encoder], tmp_path: Path) -> None:
    encoder = make_encoder(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    encoder(torch.rand(4, 3, 28, 28))  # moves the BatchNorm statistics
    save_encoder(encoder, tmp_path, method="simclr")
    for source in (tmp_path, tmp_path / "encoder.safetensors", str(tmp_path)):
        loaded = load_encoder(source)
        assert loaded.fingerprint() == encoder.fingerprint()
        assert not loaded.training
        torch.testing.assert_close(loaded.mean, encoder.mean)
    assert set(load_file(tmp_path / "encoder.safetensors")) <= set(torchvision.models.resnet18().state_dict())


def test_fingerprint_follows_weights_and_settings(make_encoder: Callable[..., Encoder]) -> None:
    torch.manual_seed(0)
    first = make_encoder()
    torch.manual_seed(0)
    same, other_mean = make_encoder(), make_encoder(mean=(0.0, 0.0, 0.0))
    assert first.fingerprint() == same.fingerprint()
    other_mean.load_state_dict(first.state_dict())
    assert first.fingerprint() != other_mean.fingerprint()
    same.network.bn1.running_mean[0] += 1
    assert first.fingerprint() != same.fingerprint()


def test_files_that_do_not_fit_are_refused_with_the_first_keys(encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(UserFileNotFoundError, match="resume=RUN_DIR"):
        load_encoder(tmp_path)
    path = save_encoder(encoder, tmp_path)
    weights = load_file(path)
    weights["conv1.weight"] = torch.zeros(5, 3, 3, 3)
    weights["head.weight"] = torch.zeros(2)
    del weights["bn1.bias"]
    save_file(weights, path)
    expected = r"3 keys differ, first bn1.bias is missing; conv1.weight is \(5, 3, 3, 3\) instead of \(4, 3, 3, 3\)"
    with pytest.raises(UserError, match=expected):
        load_encoder(tmp_path)
    path.write_bytes(b"junk" * 100)
    with pytest.raises(UserError, match="safetensors"):
        load_encoder(tmp_path)
    (tmp_path / "encoder.json").unlink()
    with pytest.raises(UserFileNotFoundError, match="settings"):
        load_encoder(tmp_path)
