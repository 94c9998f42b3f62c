"""Every source's files give the features of the network they were made from, and broken ones are refused."""

import copy
import datetime
import functools
import os
import pickle
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import timm
import torch
import torchvision
from omegaconf import OmegaConf
from pytorch_lightning.utilities.parsing import AttributeDict
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from qscore import load_encoder
from qscore.encoders import LoadOptions, open_checkpoint
from qscore.encoders.__main__ import main
from qscore.encoders.architectures import Hints, infer
from qscore.encoders.inspection import inspect_checkpoint
from qscore.encoders.layouts import LAYOUTS
from qscore.errors import UserError
from tests.encoders.sources import (
    SOURCES,
    Source,
    backbone,
    lightning,
    linear,
    trunk,
    under,
)

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def stirred(network: nn.Module) -> nn.Module:
    """Statistics that are no defaults, so that none can be forgotten unnoticed."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif name.endswith(("running_mean", "bias")) or ("norm" in name and name.endswith("weight")):
                tensor.uniform_(-0.5, 1.5)
    return network.eval()


@functools.cache
def resnet(seed: int = 0) -> ResNet:
    torch.manual_seed(seed)
    return stirred(ResNet(BasicBlock, [1, 1, 1, 1], num_classes=128))  # type: ignore[return-value]


@functools.cache
def vit(seed: int = 0, **options: Any) -> nn.Module:
    torch.manual_seed(seed)
    return stirred(timm.create_model("vit_small_patch16_224", depth=2, img_size=64, num_classes=10, **options))


class TensorFlowPadding(nn.Module):
    """A ResNet whose strided layers pad at the right and the bottom alone, written out by hand."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        net = copy.deepcopy(self.network)
        for module in net.modules():
            if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
                module.padding = (0, 0)
        x = net.relu(net.bn1(net.conv1(F.pad(images, (2, 3, 2, 3)))))  # 7x7 at stride 2 on an even size
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2)
        for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
            for block in stage:
                strided = F.pad(x, (0, 1, 0, 1)) if block.stride == 2 else x
                out = block.bn2(block.conv2(net.relu(block.bn1(block.conv1(strided)))))
                x = net.relu(out + (x if block.downsample is None else block.downsample(x)))
        return x.mean((2, 3))


def features(network: nn.Module, images: Tensor, kind: str, *, pixels: bool) -> Tensor:
    inputs = images if pixels else torchvision.transforms.functional.normalize(images, *map(list, IMAGENET))
    with torch.no_grad():
        if kind == "vit":
            return network.forward_features(inputs)[:, 0]  # type: ignore[operator]
        if kind == "same":
            return TensorFlowPadding(network)(inputs)  # type: ignore[arg-type]
        return nn.Sequential(*list(network.children())[:-1])(inputs).flatten(1)


def networks(source: Source, name: str) -> tuple[nn.Module, nn.Module]:
    options = {"num_heads": 12} if name in ("moco_v3_vit", "mmselfsup_moco_v3") else {}
    return (vit(0, **options), vit(1, **options)) if source.kind == "vit" else (resnet(0), resnet(1))


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_gives_the_features_of_its_network(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = SOURCES[name]
    net, teacher = networks(source, name)
    file = tmp_path / source.file
    torch.save(source.write(net, teacher), file)
    images = torch.rand(3, 3, 64, 64)
    expected = features(teacher if source.role == "teacher" else net, images, source.kind, pixels=source.pixels)
    with torch.no_grad():
        torch.testing.assert_close(load_encoder(file)(images), expected, rtol=1e-5, atol=1e-5)
    assert main(["inspect", str(file)]) == 0
    found = capsys.readouterr().out
    assert f"layout              {source.layout}: " in found
    assert "unexpected keys     none" in found
    assert "unsafe inside       nothing" in found


def changed(content: Any, change: Callable[[dict[str, Any], str], None]) -> Any:
    """The content with the first 3x3 convolution of the last stage, or a layer of the last block, changed."""
    if not isinstance(content, Mapping):
        return content
    copied = {key: changed(value, change) for key, value in content.items()}
    shapes = {key: tuple(value.shape) for key, value in copied.items() if isinstance(value, Tensor)}
    for key, shape in shapes.items():
        if shape == (512, 256, 3, 3) or (shape == (1536, 384) and ("blocks.1." in key or "layers.1." in key)):
            change(copied, key)
    return copied


def rename(state: dict[str, Any], key: str) -> None:
    """In its place, since some sources are read by order."""
    items = list(state.items())
    state.clear()
    state.update((f"{name}_2" if name == key else name, value) for name, value in items)


def resize(state: dict[str, Any], key: str) -> None:
    state[key] = state[key][1:]


@pytest.mark.parametrize("change", [rename, resize], ids=["renamed", "resized"])
@pytest.mark.parametrize("name", SOURCES)
def test_a_trunk_with_one_tensor_changed_is_refused(
    name: str, change: Callable[[dict[str, Any], str], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = SOURCES[name]
    net, teacher = networks(source, name)
    file = tmp_path / source.file
    torch.save(changed(source.write(net, teacher), change), file)
    with pytest.raises(UserError, match=r"unknown, closest is .* differ, first .*checkpoint.allow_partial=true"):
        load_encoder(file)
    assert main(["inspect", str(file)]) == 1
    assert "unknown, closest is" in capsys.readouterr().out


def test_every_layout_has_a_source_that_tests_it() -> None:
    elsewhere = {"huggingface_resnet", "huggingface_vit", "vissl_trunk"}
    assert {layout.name for layout in LAYOUTS} - {source.layout for source in SOURCES.values()} == elsewhere


def test_noise_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": {"b": torch.randn(3)}, "c.weight": torch.randn(4, 4)}, tmp_path / "noise.pth")
    assert main(["inspect", str(tmp_path / "noise.pth")]) == 1
    assert "unknown, and nothing" in capsys.readouterr().out


@pytest.mark.parametrize("options", [{}, {"architecture": "resnet18"}, {"architecture": "timm/resnet18"}], ids=str)
def test_a_file_with_names_of_its_own_is_refused_with_them(options: dict[str, Any], tmp_path: Path) -> None:
    state = {name.replace("layer", "stage"): tensor for name, tensor in trunk(resnet()).items()}
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"nothing that is known here fits.*stage1.0.conv1.weight") as refused:
        load_encoder(tmp_path / "a.pth", **options)
    assert "allow_partial" not in str(refused.value)


@pytest.mark.parametrize("source", ["alone", "moco"])
@pytest.mark.parametrize(
    "options",
    [
        {"layout": "dino"},
        {"architecture": "resnet50"},
        {"architecture": "timm/vit_tiny_patch16_224", "role": "student"},
    ],
    ids=str,
)
def test_an_option_that_is_wrong_is_named_and_not_the_names(
    source: str, options: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "a.pth"
    torch.save(trunk(resnet()) if source == "alone" else SOURCES["moco_trained"].write(resnet(), resnet(1)), file)
    assert load_encoder(file).feature_dim == 512
    said = " and ".join(f"checkpoint.{name}={options[name]}" for name in sorted(options, reverse=True))
    with pytest.raises(UserError, match=f"fits with {said}[:.].*Leave {said} out") as refused:
        load_encoder(file, **options)
    assert "Rename" not in str(refused.value)


def test_an_architecture_of_which_the_file_is_a_part_is_named(tmp_path: Path) -> None:
    torch.save(trunk(torchvision.models.resnet18()), tmp_path / "a.pth")
    with pytest.raises(
        UserError, match=r"100 of 180 tensors of a resnet34.*Leave checkpoint.architecture=resnet34 out"
    ):
        load_encoder(tmp_path / "a.pth", architecture="resnet34")


def cut(network: nn.Module) -> dict[str, Tensor]:
    """The stem and the first stage."""
    return {name: tensor for name, tensor in trunk(network).items() if name.startswith(("conv1", "bn1", "layer1"))}


def test_a_file_that_was_cut_is_told_as_one(tmp_path: Path) -> None:
    torch.save(cut(resnet()), tmp_path / "a.pth")
    with pytest.raises(
        UserError, match=r"of which most is missing: 15 of 60 tensors.*save the file again, whole"
    ) as refused:
        load_encoder(tmp_path / "a.pth")
    assert "Rename" not in str(refused.value)


def test_names_of_timm_are_not_to_be_changed(tmp_path: Path) -> None:
    torch.save(timm.create_model("convnext_atto").state_dict(), tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"checkpoint\.architecture=timm/NAME") as refused:
        load_encoder(tmp_path / "a.pth")
    assert "Rename" not in str(refused.value)


@pytest.mark.parametrize("name", SOURCES)
def test_the_keys_that_fit_nothing_are_shown_first(name: str, tmp_path: Path) -> None:
    source = SOURCES[name]
    torch.save(changed(source.write(*networks(source, name)), rename), tmp_path / source.file)
    checkpoint = open_checkpoint(tmp_path / source.file)
    odd = [key for key in checkpoint.keys if key.endswith("_2") and not key.startswith("net.")]  # no trunk's
    assert odd
    assert set(checkpoint.keys[: len(odd)]) == set(odd)


def test_a_backbone_behind_a_prefix_is_not_to_be_named_as_a_layout(tmp_path: Path) -> None:
    wrapped = changed(under("wrapped.net.", trunk(resnet())), rename)
    torch.save(wrapped | {"odd.thing": torch.ones(2, 2)}, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"closest is a backbone behind 'wrapped.net.'") as refused:
        load_encoder(tmp_path / "a.pth")
    assert "checkpoint.layout" not in str(refused.value)
    shown = str(refused.value).partition("own keys are ")[2].split(", ")[:2]
    assert set(shown) == {"wrapped.net.layer4.0.conv1.weight_2", "odd.thing"}


@pytest.mark.parametrize(("part", "is_taken"), [(trunk, True), (cut, False)])
@pytest.mark.parametrize("allow_partial", [True, False])
def test_what_is_said_to_be_taken_is_what_loading_takes(
    part: Callable[[nn.Module], dict[str, Tensor]], is_taken: bool, allow_partial: bool, tmp_path: Path
) -> None:
    file = tmp_path / "a.pth"
    torch.save(part(resnet()), file)
    options = LoadOptions(allow_partial=allow_partial)
    text, is_whole = inspect_checkpoint(file, options)
    assert is_whole == is_taken
    assert ("taken               nothing" not in text) == (is_taken or allow_partial)
    with nullcontext() if is_taken or allow_partial else pytest.raises(UserError):
        open_checkpoint(file, options).encoder()


@pytest.mark.parametrize("role", ["student", "teacher"])
@pytest.mark.parametrize("name", ["dino", "lightly_byol_old", "moco_trained", "byol_lucidrains"])
def test_the_role_can_be_chosen(name: str, role: str, tmp_path: Path) -> None:
    net, teacher = resnet(0), resnet(1)
    torch.save(SOURCES[name].write(net, teacher), tmp_path / "a.pth")
    images = torch.rand(2, 3, 64, 64)
    expected = features(teacher if role == "teacher" else net, images, "resnet", pixels=False)
    with torch.no_grad():
        torch.testing.assert_close(load_encoder(tmp_path / "a.pth", role=role)(images), expected, rtol=1e-5, atol=1e-5)


def test_a_role_that_is_not_there_is_named(tmp_path: Path) -> None:
    torch.save(SOURCES["swav"].write(resnet(), resnet()), tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"role that the file has \(student\), got teacher"):
        load_encoder(tmp_path / "a.pth", role="teacher")


def test_partial_loading_takes_the_rest_and_names_what_it_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = resnet()
    state = trunk(net)
    state["layer4.0.conv9.weight"] = state.pop("layer4.0.conv1.weight")
    torch.save(state, tmp_path / "a.pth")
    encoder = load_encoder(tmp_path / "a.pth", allow_partial=True)
    assert "layer4.0.conv1.weight is missing; layer4.0.conv9.weight is unexpected" in caplog.text
    own = encoder.network.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in state.items() if name in own)
    assert not torch.equal(own["layer4.0.conv1.weight"], state["layer4.0.conv9.weight"])


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"state_dict": resnet().state_dict()}, "byol_ssl_transfer or simclr_tonylins or torchvision"),
        (
            {k: v for k, v in resnet().state_dict().items() if "num_batches" not in k},
            "byol_same_padding or torchvision",
        ),
    ],
)
def test_files_that_could_be_two_things_ask_which(content: Any, names: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=f"{names}.*checkpoint.layout=NAME"):
        load_encoder(tmp_path / "weights.pth")
    for layout in names.split(" or "):
        assert open_checkpoint(tmp_path / "weights.pth", LoadOptions(layout=layout)).trunk.is_whole


class CreatesAFile:
    """A pickle that runs code as soon as it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
def test_a_file_never_runs_code_unless_it_is_trusted(form: str, tmp_path: Path) -> None:
    made, file = tmp_path / "made", tmp_path / "a.pth"
    content = {"state_dict": trunk(resnet()), "callback": CreatesAFile(made)}
    if form == "bare":
        file.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(UserError, match=r"posix.mkdir|nt.mkdir|safetensors") as refused:
        load_encoder(file)
    assert "checkpoint.trust=true" in str(refused.value) or form == "bare"
    assert main(["inspect", str(file)]) == 2
    assert not made.exists()
    if form != "bare":
        load_encoder(file, trust=True)
        assert made.exists()


def test_what_is_no_checkpoint_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("not weights")
    (tmp_path / "empty.pth").touch()
    (tmp_path / "broken.safetensors").write_bytes(b"\0" * 20)
    torch.save(resnet(), tmp_path / "module.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    whole = tmp_path / "whole.pth"
    torch.save(trunk(resnet()), whole)
    (tmp_path / "cut.pth").write_bytes(whole.read_bytes()[:-5000])
    for name in ("text.pth", "empty.pth", "broken.safetensors", "module.pth", "list.pth", "cut.pth", "absent.pth"):
        with pytest.raises(UserError, match="Expected"):
            load_encoder(tmp_path / name)


@pytest.mark.parametrize("layers", [{"conv1": 3}, {"conv1": 7}])
def test_small_stems_say_what_was_assumed(layers: dict[str, int], tmp_path: Path) -> None:
    net = copy.deepcopy(resnet())
    kernel = layers["conv1"]
    net.conv1 = nn.Conv2d(3, 64, kernel, padding=kernel // 2, bias=False)
    torch.save(trunk(net), tmp_path / "a.pth")
    found = open_checkpoint(tmp_path / "a.pth")
    assert found.settings["stem"] == ("cifar" if kernel == 3 else "imagenet")
    assert bool(found.notes) == (kernel == 3)
    if kernel == 3:
        assert load_encoder(tmp_path / "a.pth", stem="stl").settings["stem"] == "stl"
    else:
        assert load_encoder(tmp_path / "a.pth", stem="imagenet").settings["stem"] == "imagenet"
    with pytest.raises(UserError, match=f"checkpoint.stem to fit .* a first convolution of {kernel}x{kernel}"):
        load_encoder(tmp_path / "a.pth", stem="imagenet" if kernel == 3 else "cifar")


def test_solo_learn_pads_its_small_stem_by_two(tmp_path: Path) -> None:
    net = copy.deepcopy(resnet())
    net.conv1, net.maxpool = nn.Conv2d(3, 64, 3, padding=2, bias=False), nn.Identity()
    torch.save(SOURCES["solo_learn"].write(net, resnet()), tmp_path / "a.ckpt")
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        found = load_encoder(tmp_path / "a.ckpt")(images)
    torch.testing.assert_close(found, features(net, images, "resnet", pixels=False), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50", "resnet152", "wide_resnet50_2", "resnext50_32x4d"])
def test_architectures_are_told_from_shapes(architecture: str) -> None:
    with torch.device("meta"):
        state = trunk(getattr(torchvision.models, architecture)())
    assert infer(state, Hints())["architecture"] == architecture


def test_widths_are_told_from_shapes() -> None:
    with torch.device("meta"):
        network = ResNet(Bottleneck, [3, 4, 6, 3], width_per_group=64)
        network.inplanes = 128
        network.conv1, network.bn1 = nn.Conv2d(3, 128, 7, bias=False), nn.BatchNorm2d(128)
        for i, count in enumerate((128, 256, 512, 1024)):
            setattr(network, f"layer{i + 1}", network._make_layer(Bottleneck, count, (3, 4, 6, 3)[i], 1 + (i > 0)))
    found = infer(trunk(network), Hints())
    assert (found["architecture"], found["width"]) == ("resnet50", 2.0)


@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_a_vit_pools_its_class_token_or_the_mean(pooling: str, tmp_path: Path) -> None:
    net = vit()
    torch.save(backbone(net, net), tmp_path / "a.pth")
    encoder = load_encoder(tmp_path / "a.pth", pooling=pooling)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        tokens = net.forward_features(torchvision.transforms.functional.normalize(images, *map(list, IMAGENET)))  # type: ignore[operator]
        expected = tokens[:, 0] if pooling == "token" else tokens[:, 1:].mean(1)
        torch.testing.assert_close(encoder(images), expected, rtol=1e-5, atol=1e-5)
        assert encoder(torch.rand(1, 3, 96, 96)).shape == (1, encoder.feature_dim)  # positions are interpolated
    with pytest.raises(UserError, match="got 60 px"):
        encoder.check_image_size(60)


def test_any_timm_model_is_loaded_by_name(tmp_path: Path) -> None:
    net = stirred(timm.create_model("convnext_atto", num_classes=0))
    torch.save({"state_dict": {f"net.{k}": v for k, v in net.state_dict().items()}}, tmp_path / "a.pth")
    encoder = load_encoder(tmp_path / "a.pth", architecture="timm/convnext_atto", normalization="pixels")
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(encoder(images), net(images), rtol=1e-5, atol=1e-5)
    assert encoder.feature_dim == 320


def test_safetensors_of_torchvision_names(tmp_path: Path) -> None:
    net = resnet()
    save_file({name: tensor.contiguous() for name, tensor in trunk(net).items()}, tmp_path / "model.safetensors")
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        found = load_encoder(tmp_path)(images)
    torch.testing.assert_close(found, features(net, images, "resnet", pixels=False), rtol=1e-5, atol=1e-5)


NAMED = ("layer1.0.conv1.weight", "4.0.conv1.weight")


def damaged(content: Any, prefixes: tuple[str, ...]) -> Any:
    """The content with one tensor of the networks behind some prefixes renamed."""
    if not isinstance(content, Mapping):
        return content
    return {
        f"{key}_2" if str(key).startswith(prefixes) and str(key).endswith(NAMED) else key: damaged(value, prefixes)
        for key, value in content.items()
    }


@pytest.mark.parametrize(
    ("name", "prefixes"),
    [
        ("moco_trained", ("module.encoder_q.",)),
        ("moco_v3", ("module.base_encoder.",)),
        ("solo_learn", ("backbone.",)),
        ("lightly_dino", ("backbone.",)),
        ("lightly_byol", ("backbone.",)),
        ("mmselfsup", ("backbone.",)),
        ("openselfsup", ("encoder_q.0.",)),
        ("bolts_byol", ("online_network.",)),
        ("stable_pretraining_teacher", ("backbone.student.",)),
        ("byol_lucidrains", ("online_encoder.net.",)),
    ],
)
def test_a_damaged_encoder_is_not_replaced_by_another_one_of_the_file(
    name: str, prefixes: tuple[str, ...], tmp_path: Path
) -> None:
    torch.save(damaged(SOURCES[name].write(resnet(0), resnet(1)), prefixes), tmp_path / "a.pth")
    with pytest.raises(UserError, match="unknown, closest is"):
        load_encoder(tmp_path / "a.pth")


def test_a_damaged_teacher_of_dino_is_not_replaced_by_the_student(tmp_path: Path) -> None:
    content = dict(SOURCES["dino"].write(resnet(0), resnet(1)))
    content["teacher"] = damaged(content["teacher"], ("module.backbone.",))
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(UserError, match="unknown, closest is"):
        load_encoder(tmp_path / "a.pth")
    assert load_encoder(tmp_path / "a.pth", role="student").feature_dim == 512


def test_of_two_encoders_none_is_taken_unasked(tmp_path: Path) -> None:
    first, second = trunk(resnet(0)), trunk(resnet(1))
    for content in ({"state_dict": first, "model": second}, {"student": first, "teacher": second}):
        torch.save(content, tmp_path / "a.pth")
        with pytest.raises(UserError, match="Expected one encoder, got"):
            load_encoder(tmp_path / "a.pth")
    chosen = load_encoder(tmp_path / "a.pth", role="teacher")
    assert torch.equal(chosen.network.conv1.weight, second["conv1.weight"])  # type: ignore[union-attr]
    torch.save({"model": first, "model_ema": second}, tmp_path / "a.pth")
    averaged = load_encoder(tmp_path / "a.pth")  # as timm does
    assert torch.equal(averaged.network.conv1.weight, second["conv1.weight"])  # type: ignore[union-attr]


def test_a_file_of_like_keys_is_not_taken_for_one_of_unnormalised_images(tmp_path: Path) -> None:
    weights = under("backbone.", trunk(resnet()) | under("fc.", linear(512, 10).state_dict()))
    torch.save(lightning(weights), tmp_path / "a.ckpt")
    assert load_encoder(tmp_path / "a.ckpt").settings["mean"] == list(IMAGENET[0])


def test_settings_of_other_packages_do_not_stand_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "1234")
    settings = OmegaConf.create({"lr": 0.1, "name": "???", "key": "${oc.env:A_SECRET}", "other": "${absent}"})
    content = {
        "state_dict": under("net.", trunk(resnet())),
        "hyper_parameters": settings,
        "callbacks": {pl.callbacks.ModelCheckpoint: {"best": 1.0}},
        "when": datetime.datetime(2024, 1, 1),
        "stage": pl.trainer.states.RunningStage.TRAINING,
        "attributes": AttributeDict(lr=0.1),
    }
    torch.save(content, tmp_path / "a.ckpt")
    checkpoint = open_checkpoint(tmp_path / "a.ckpt")
    assert checkpoint.encoder().feature_dim == 512
    assert checkpoint.hyperparameters["lr"] == 0.1
    assert "1234" not in str(checkpoint.hyperparameters)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    state = {name: tensor.clone() for name, tensor in trunk(resnet()).items()}
    state["layer1.0.conv1.weight"][0] = value
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"Expected finite real numbers.*layer1.0.conv1.weight"):
        load_encoder(tmp_path / "a.pth")


@pytest.mark.parametrize(
    "state",
    [
        {"blocks.foo.weight": torch.ones(3)},
        {"pos_embed": torch.ones(1, 0, 4), "patch_embed.proj.weight": torch.ones(4, 3, 0, 0)},
        {"pos_embed": torch.tensor(1.0), "conv1.weight": torch.tensor(1.0)},
        {},
    ],
)
def test_strange_tensors_are_unknown(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UserError, match="unknown, and nothing"):
        load_encoder(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"role": "techer"}, "student, teacher or auto"),
        ({"layout": "moko"}, "Did you mean 'moco'"),
        ({"pooling": "max"}, "token, mean"),
        ({"normalization": "imagnet"}, "imagenet, pixels"),
        ({"normalization": "data"}, "train.py and evaluate.py"),
        ({"architecture": "resnet19"}, "Did you mean 'resnet1"),
        ({"architecture": "timm/nonsense"}, "timm has no model of that name"),
        ({"stem": "cifr"}, "Did you mean 'cifar'"),
        ({"stem": "cifar"}, "a first convolution of 7x7"),
        ({"normalization": [[0.5], [0.5]]}, "three channels"),
    ],
)
def test_options_that_are_none_are_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    torch.save(trunk(resnet()), tmp_path / "a.pth")
    with pytest.raises(UserError, match=message):
        load_encoder(tmp_path / "a.pth", **options)
