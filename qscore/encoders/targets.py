"""Encoders in the files of other libraries: torchvision, timm, transformers, ONNX."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from qscore.encoders.encoder import Encoder
from qscore.encoders.loading import load_encoder
from qscore.encoders.model_card import write_card
from qscore.encoders.names import HUGGINGFACE_RESNET, HUGGINGFACE_VIT, split_qkv, translate
from qscore.encoders.networks import TIMM
from qscore.encoders.resnet import RESNETS, STAGE_CHANNELS
from qscore.errors import UserError
from qscore.files import SETTINGS, read_json, write_json, written_whole

DEFAULT_SIZE_PX = 224


def export_encoder(source: Path, target: str, out: Path | None = None, **options: Any) -> str:
    """Writes an encoder the way another library reads it.

    Args:
        source: A run directory, or any checkpoint.
        target: "torchvision", "timm", "huggingface" or "onnx".
        out: Folder to write to; by default in the run, or beside the file.
        options: Those of `LoadOptions`, for a checkpoint from elsewhere.

    Returns:
        How to load it there, and where its model card lies.

    Raises:
        UserError: If that library has no such network.
    """
    encoder = load_encoder(source, **options)
    folder = out or (source if source.is_dir() else source.parent) / f"export-{target}"
    folder.mkdir(parents=True, exist_ok=True)
    settings = source / SETTINGS if source.is_dir() else source.with_name(SETTINGS)
    known_size = read_json(settings).get("image_size") if settings.is_file() else None
    size_px = known_size or DEFAULT_SIZE_PX
    how = TARGETS[target](encoder, folder, size_px)
    card = write_card(encoder, source, folder, target=target, how=how, size_px=size_px)
    return f"{how}\n# model card: {card}"


def to_torchvision(encoder: Encoder, folder: Path, size_px: int) -> str:
    """Writes `NAME.pth`, a state without `fc`, and its normalisation."""
    name = _plain_resnet(encoder, "torchvision", torchvision.models.list_models())
    file = folder / f"{name}.pth"
    with written_whole(file) as temporary:
        torch.save(_state(encoder), temporary)
    write_json(folder / f"{name}.json", {**_statistics(encoder), "image_size": size_px})
    return (
        f"model = torchvision.models.{name}(); model.fc = torch.nn.Identity(); "
        f"model.load_state_dict(torch.load('{file}'))  # normalise by {_statistics(encoder)}"
    )


def to_timm(encoder: Encoder, folder: Path, size_px: int) -> str:
    """Writes a folder that timm reads with `local-dir:`, normalisation included."""
    architecture = encoder.settings["architecture"]
    is_timm = architecture.startswith(TIMM)
    name = architecture.removeprefix(TIMM) if is_timm else _plain_resnet(encoder, "timm", RESNETS)
    pretrained = {**_statistics(encoder), "input_size": [3, size_px, size_px], "num_classes": 0, "crop_pct": 0.875}
    config = {
        "architecture": name,
        "num_classes": 0,
        "num_features": encoder.feature_dim,
        "pretrained_cfg": {**pretrained, "interpolation": "bicubic", "first_conv": None, "classifier": None},
        "model_args": {name: value for name, value in encoder.settings["options"].items() if name != "norm_eps"},
    }
    _save(_state(encoder), folder, config)
    return f"model = timm.create_model('local-dir:{folder}', pretrained=True, num_classes=0)"


def to_huggingface(encoder: Encoder, folder: Path, size_px: int) -> str:
    """Writes a folder that transformers reads, with its preprocessor's settings."""
    is_vit = encoder.settings["architecture"].startswith(f"{TIMM}vit_")
    config = _vit_config(encoder) if is_vit else _resnet_config(encoder)
    rules = HUGGINGFACE_VIT if is_vit else HUGGINGFACE_RESNET
    state = split_qkv(_state(encoder)) if is_vit else _state(encoder)
    _save({translate(name, rules, to_theirs=True): tensor for name, tensor in state.items()}, folder, config)
    statistics = {f"image_{name}": value for name, value in _statistics(encoder).items()}
    size = {"height": size_px, "width": size_px} if is_vit else {"shortest_edge": size_px}
    kind = "ViTImageProcessor" if is_vit else "ConvNextImageProcessor"
    preprocessor = {"image_processor_type": kind, "size": size, "do_rescale": True, "do_normalize": True}
    write_json(folder / "preprocessor_config.json", {**preprocessor, **statistics})
    features = _vit_features(encoder) if is_vit else "model(x).pooler_output.flatten(1)"
    return f"model = transformers.AutoModel.from_pretrained('{folder}'); features = {features}"


def to_onnx(encoder: Encoder, folder: Path, size_px: int) -> str:
    """Writes `encoder.onnx`, which takes pixel values in [0, 1] and normalises them itself."""
    file = folder / "encoder.onnx"
    example = torch.rand(2, 3, size_px, size_px)
    with written_whole(file) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        try:
            torch.onnx.export(
                encoder,
                (example,),
                str(temporary),
                input_names=["images"],
                output_names=["representations"],
                dynamic_shapes=({0: torch.export.Dim("sample", min=1)},),
                external_data=False,
                dynamo=True,
                verbose=False,
            )
        except ImportError as error:
            raise UserError(f"Expected the packages that write ONNX: {error}. pip install qscore[export]") from error
    return f"session = onnxruntime.InferenceSession('{file}'); session.run(None, {{'images': pixels_in_0_1}})"


TARGETS: dict[str, Callable[[Encoder, Path, int], str]] = {
    "torchvision": to_torchvision,
    "timm": to_timm,
    "huggingface": to_huggingface,
    "onnx": to_onnx,
}


def _plain_resnet(encoder: Encoder, library: str, known: Any) -> str:
    """The name of a network that other libraries build in the same way."""
    settings = encoder.settings
    name: str = settings["architecture"]
    plain = (settings["stem"], settings["width"], settings["options"].get("padding", "symmetric"))
    if name not in known or name in ("resnet10", "resnet200") or plain != ("imagenet", 1.0, "symmetric"):
        raise UserError(
            f"Expected a network that {library} has, got a {name} of stem {plain[0]}, width {plain[1]:g} and padding "
            f"{plain[2]}; export it with --to onnx."
        )
    return name


def _resnet_config(encoder: Encoder) -> dict[str, Any]:
    name = encoder.settings["architecture"]
    shape = RESNETS.get(name)
    if shape is None or shape.groups != 1 or shape.width_per_group != STAGE_CHANNELS[0]:
        raise UserError(
            f"Expected a network that transformers has (ResNet, ViT), got {name}; export it with --to timm."
        )
    settings = encoder.settings
    if settings["stem"] != "imagenet" or settings["options"].get("padding", "symmetric") != "symmetric":
        raise UserError(
            f"Expected an imagenet stem for transformers, got {settings['stem']}; export it with --to onnx."
        )
    channels = [round(count * settings["width"]) for count in STAGE_CHANNELS]
    return {
        "model_type": "resnet",
        "architectures": ["ResNetModel"],
        "num_channels": 3,
        "embedding_size": channels[0],
        "hidden_sizes": [count * shape.block.expansion for count in channels],
        "depths": list(shape.layers),
        "layer_type": "bottleneck" if shape.block.expansion > 1 else "basic",
        "hidden_act": "relu",
        "downsample_in_first_stage": False,
    }


def _vit_config(encoder: Encoder) -> dict[str, Any]:
    network: Any = encoder.network
    state = split_qkv(_state(encoder))
    strange = sorted(name for name in state if translate(name, HUGGINGFACE_VIT, to_theirs=True) == name)
    if strange or "cls_token" not in state or not isinstance(network.blocks[0].mlp.act, nn.GELU):
        what = strange[0] if strange else "no class token, or another activation than GELU"
        raise UserError(f"Expected a plain ViT for transformers, got one with {what}; export it with --to timm.")
    return {
        "model_type": "vit",
        "architectures": ["ViTModel"],
        "num_channels": 3,
        "hidden_size": network.embed_dim,
        "num_hidden_layers": len(network.blocks),
        "num_attention_heads": network.blocks[0].attn.num_heads,
        "intermediate_size": network.blocks[0].mlp.fc1.out_features,
        "image_size": network.patch_embed.img_size[0],
        "patch_size": network.patch_embed.patch_size[0],
        "layer_norm_eps": network.norm.eps,
        "qkv_bias": True,
        "hidden_act": "gelu",
    }


def _vit_features(encoder: Encoder) -> str:
    pools_tokens = encoder.settings["options"].get("global_pool") == "avg"
    return f"model(x).last_hidden_state[:, {'1:].mean(1)' if pools_tokens else '0]'}"


def _state(encoder: Encoder) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in encoder.network.state_dict().items()}


def _statistics(encoder: Encoder) -> dict[str, list[float]]:
    return {"mean": encoder.settings["mean"], "std": encoder.settings["std"]}


def _save(state: dict[str, Tensor], folder: Path, config: dict[str, Any]) -> None:
    with written_whole(folder / "model.safetensors") as temporary:
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, temporary, metadata={"format": "pt"})
    write_json(folder / "config.json", config)
