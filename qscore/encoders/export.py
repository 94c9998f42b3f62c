"""An encoder on disk: `encoder.safetensors` with torchvision's names, beside `encoder.json` with its settings."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from qscore.encoders.encoder import Encoder
from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import read_json, write_json, written_whole

WEIGHTS = "encoder.safetensors"
SETTINGS = "encoder.json"


def save_encoder(encoder: Encoder, directory: Path, **facts: Any) -> Path:
    """Writes settings, then weights: a weights file that exists has its settings.

    Args:
        encoder: What to save.
        directory: Where to.
        facts: Anything else worth knowing about it, JSON-able.
    """
    settings = {**encoder.settings, "feature_dim": encoder.feature_dim, **facts}
    write_json(directory / SETTINGS, settings)
    state = {name: tensor.cpu().contiguous() for name, tensor in encoder.network.state_dict().items()}
    path = directory / WEIGHTS
    with written_whole(path) as temporary:
        save_file(state, temporary, metadata={"format": "pt"})
    return path


def load_encoder(source: str | Path) -> Encoder:
    """Returns the encoder of a run directory, or of an exported `encoder.safetensors`, in eval mode.

    Raises:
        UserFileNotFoundError: If there is no such run or file, or its settings are missing.
        UserError: If the weights do not fit the settings; the first keys that differ are named.
    """
    path = Path(source)
    weights = path / WEIGHTS if path.is_dir() else path
    if not weights.is_file():
        raise UserFileNotFoundError(
            f"Expected a run directory or an exported {WEIGHTS}, found no file {weights}. "
            "If its run was interrupted, finish it first with: python train.py resume=RUN_DIR"
        )
    settings_file = weights.with_name(SETTINGS)
    if not settings_file.is_file():
        raise UserFileNotFoundError(f"Expected the encoder's settings beside its weights, found no {settings_file}.")
    settings = read_json(settings_file)
    encoder = Encoder(**{name: settings[name] for name in ("architecture", "stem", "width", "mean", "std")})
    _load_weights(encoder, weights)
    return encoder.eval()


def _load_weights(encoder: Encoder, weights: Path) -> None:
    try:
        state = load_file(weights)
    except SafetensorError as error:
        raise UserError(f"Expected a safetensors file, got {weights}: {error}. Export the encoder again.") from error
    differing = mismatches(encoder.network.state_dict(), state)
    if differing:
        raise UserError(
            f"{weights} does not fit a {encoder.settings['architecture']}: {len(differing)} keys differ, "
            f"first {'; '.join(differing[:3])}."
        )
    encoder.network.load_state_dict(state)


def mismatches(expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor]) -> list[str]:
    """Returns a phrase for each key that is missing, unexpected or of another shape.

    >>> mismatches({"a": torch.zeros(2), "b": torch.zeros(1)}, {"a": torch.zeros(3), "c": torch.zeros(1)})
    ['a is (3,) instead of (2,)', 'b is missing', 'c is unexpected']
    """
    phrases = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            phrases.append(f"{name} is missing")
        elif name not in expected:
            phrases.append(f"{name} is unexpected")
        elif found[name].shape != expected[name].shape:
            phrases.append(f"{name} is {tuple(found[name].shape)} instead of {tuple(expected[name].shape)}")
    return phrases
