"""What the files beside a file of weights say of it: transformers' and timm's `config.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qscore.encoders.networks import TIMM
from qscore.errors import UserError
from qscore.files import read_object

ACTIVATIONS = {"vit": "gelu", "resnet": "relu"}
LIBRARY_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class Siblings:
    """What is known beyond the weights.

    Attributes:
        architecture: Of timm, where its `config.json` names one.
        num_heads: Feature dimension to attention heads.
        options: Further settings of the network.
        normalization: Mean and standard deviation of the input.
    """

    architecture: str | None = None
    num_heads: Mapping[int, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    normalization: tuple[Sequence[float], Sequence[float]] | None = None


def read_siblings(weights: Path) -> Siblings:
    """Returns what `config.json` and `preprocessor_config.json` beside a file of weights say, if they are there.

    Only beside files under the names that the two libraries write; a `config.json` elsewhere is somebody's own.
    """
    if weights.name not in LIBRARY_FILES:
        return Siblings()
    config = _read(weights.with_name("config.json"))
    preprocessor = _read(weights.with_name("preprocessor_config.json"))
    pretrained = config.get("pretrained_cfg", {})
    _check_kinds(config, preprocessor, weights)
    _check(config, weights)
    options = dict(config.get("model_args", {}))
    if config.get("model_type") == "vit" and "layer_norm_eps" in config:
        options["norm_eps"] = config["layer_norm_eps"]
    mean = preprocessor.get("image_mean", pretrained.get("mean"))
    std = preprocessor.get("image_std", pretrained.get("std"))
    has_heads = "hidden_size" in config and "num_attention_heads" in config
    return Siblings(
        architecture=f"{TIMM}{config['architecture']}" if "architecture" in config else None,
        num_heads={config["hidden_size"]: config["num_attention_heads"]} if has_heads else {},
        options=options,
        normalization=_normalization(preprocessor, mean, std),
    )


def _normalization(
    preprocessor: Mapping[str, Any], mean: Sequence[float] | None, std: Sequence[float] | None
) -> tuple[Sequence[float], Sequence[float]] | None:
    if preprocessor.get("do_normalize") is False:
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    return None if mean is None or std is None else (mean, std)


def _check_kinds(config: Mapping[str, Any], preprocessor: Mapping[str, Any], weights: Path) -> None:
    """Raises a `UserError` where a setting that is read is of another kind than the libraries write."""
    colours: dict[str, type] = {"image_mean": list, "image_std": list}
    pretrained = config.get("pretrained_cfg", {})
    kinds: list[tuple[Any, dict[str, type]]] = [
        (config, {"pretrained_cfg": dict, "model_args": dict, "hidden_size": int, "num_attention_heads": int}),
        (config, {"architecture": str, "layer_norm_eps": float, "model_type": str}),
        (preprocessor, colours),
        (pretrained if isinstance(pretrained, dict) else {}, {"mean": list, "std": list}),
    ]
    for settings, known in kinds:
        for name, kind in known.items():
            if name in settings and not isinstance(settings[name], kind):
                raise UserError(
                    f"Expected {name} as a {kind.__name__} in the files beside {weights}, got {settings[name]!r:.80}; "
                    "take them from where the weights come from."
                )


def _check(config: Mapping[str, Any], weights: Path) -> None:
    """Raises a `UserError` for a network of transformers whose shapes are those of another that computes otherwise."""
    act, kind = config.get("hidden_act"), config.get("model_type")
    if act not in (None, ACTIVATIONS.get(str(kind), act)) or config.get("downsample_in_bottleneck"):
        raise UserError(
            f"Expected a plain {kind} beside {weights}, got hidden_act={act}, downsample_in_bottleneck="
            f"{config.get('downsample_in_bottleneck')} in its config.json; load it with transformers."
        )


def _read(file: Path) -> dict[str, Any]:
    return read_object(file) if file.is_file() else {}
