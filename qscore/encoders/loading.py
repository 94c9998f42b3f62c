"""load_encoder: a run, an exported encoder, or anybody's checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from qscore.encoders.architectures import mismatches
from qscore.encoders.checkpoints import LoadOptions, open_checkpoint
from qscore.encoders.encoder import Encoder
from qscore.encoders.siblings import LIBRARY_FILES
from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import SETTINGS, WEIGHTS, read_object
from qscore.installation import command

ARGUMENTS = ("architecture", "stem", "width", "options", "mean", "std")


def load_encoder(source: str | Path, **options: Any) -> Encoder:
    """Returns an encoder in eval mode.

    Args:
        source: A run directory, an exported `encoder.safetensors`, or any known checkpoint.
        options: Those of `LoadOptions`, for a checkpoint from elsewhere: `layout`, `role`, `architecture`, `stem`,
            `pooling`, `normalization`, `allow_partial`, `trust`.

    Raises:
        UserFileNotFoundError: If there is no such run or file.
        UserError: If the weights are not all there; the first keys that differ are named.
    """
    path = own_weights(source)
    if path is None:
        return open_checkpoint(source, LoadOptions(**options)).encoder()
    asked = LoadOptions(**options)
    if (asked.architecture, asked.stem, asked.pooling, asked.normalization) != (None, None, None, "auto"):
        raise UserError(
            f"Expected no checkpoint.architecture, stem, pooling or normalization with {path}: its {SETTINGS} decides."
        )
    settings = read_object(path.with_name(SETTINGS))
    arguments = {name: settings[name] for name in ARGUMENTS if name in settings}
    state = _stored(path)
    _check_fit(arguments, state, path)
    encoder = Encoder(**arguments)
    encoder.network.load_state_dict(state)
    return encoder.eval()


def own_weights(source: str | Path) -> Path | None:
    """Returns the weights of a run or an exported encoder; None for a checkpoint from elsewhere.

    Raises:
        UserFileNotFoundError: If there is nothing, or a run that has not ended.
    """
    path = Path(source)
    if path.is_dir() and not (path / WEIGHTS).is_file():
        if any((path / name).is_file() for name in LIBRARY_FILES):
            return None
        raise UserFileNotFoundError(
            f"Expected a run directory or an exported {WEIGHTS}, found no file {path / WEIGHTS}. "
            f"If its run was interrupted, finish it first with: {command('train')} resume=RUN_DIR"
        )
    weights = path / WEIGHTS if path.is_dir() else path
    if not weights.is_file():
        raise UserFileNotFoundError(
            f"Expected checkpoint to be a run directory or a file of weights, found nothing at {weights}."
        )
    if weights.name == WEIGHTS and not weights.with_name(SETTINGS).is_file():
        raise UserFileNotFoundError(
            f"Expected the encoder's settings beside its weights, found no {weights.with_name(SETTINGS)}."
        )
    return weights if weights.name == WEIGHTS else None


def _stored(weights: Path) -> dict[str, Tensor]:
    try:
        state: dict[str, Tensor] = load_file(weights)
    except (SafetensorError, OSError) as error:
        raise UserError(f"Expected a safetensors file, got {weights}: {error}. Export the encoder again.") from error
    lost = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if lost:
        raise UserError(
            f"Expected finite numbers in {weights}, got something else in {len(lost)} tensors, first {lost[0]}; the "
            "training that left it may have diverged."
        )
    return state


def _check_fit(arguments: dict[str, Any], state: Mapping[str, Tensor], weights: Path) -> None:
    """Compares names, shapes and types, on a network without memory: settings may ask for any size."""
    try:
        with torch.device("meta"):
            expected = Encoder(**arguments).network.state_dict()
    except NotImplementedError:  # some networks of timm compute with numbers while they are built
        expected = Encoder(**arguments).network.state_dict()
    differing = mismatches(expected, state)
    differing += [
        f"{name} is of {state[name].dtype} instead of {tensor.dtype}"
        for name, tensor in expected.items()
        if name in state and state[name].is_floating_point() != tensor.is_floating_point()  # of any precision
    ]
    if differing:
        raise UserError(
            f"{weights} does not fit a {arguments.get('architecture', 'network')}: {len(differing)} keys differ, "
            f"first {'; '.join(differing[:3])}."
        )
