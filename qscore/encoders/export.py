"""An encoder on disk: `encoder.safetensors` with torchvision's or timm's names, and its settings in `encoder.json`."""

from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from qscore.encoders.encoder import Encoder
from qscore.files import SETTINGS, WEIGHTS, write_json, written_whole


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
