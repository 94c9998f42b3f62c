"""What a method takes over from a checkpoint besides the encoder, and how it begins with what is new."""

import logging
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from qscore.application.build import load_options
from qscore.application.run_directory import RunDirectory
from qscore.encoders import LoadOptions, open_checkpoint
from qscore.encoders.architectures import mismatches
from qscore.encoders.loading import own_weights
from qscore.errors import UserError
from qscore.methods import SSLMethod
from qscore.methods.base import MEMORY_BANKS
from qscore.methods.head_warmup import HeadWarmup
from qscore.methods.warm_start import WARM, warm_start

log = logging.getLogger(__name__)


def start_heads(
    cfg: DictConfig, run: RunDirectory, baseline: RunDirectory, method: SSLMethod, *, steps_per_epoch: int
) -> tuple[dict[str, str], list[HeadWarmup]]:
    """Gives a method the heads of its checkpoint, as far as there are any that fit; says which are warm.

    Returns:
        For each part "warm", or what it is instead and why; and the callback that holds the encoder still while new
        heads learn, if there are any.
    """
    known = run.facts.get("started_with")
    if run.last_checkpoint is not None and known is not None:  # resumed: its own state has it all
        return known, _warmup(cfg.head_warmup_steps, steps_per_epoch if _has_new(known) else 0)
    same_method = baseline.facts["config"].get("method", {}).get("name") == cfg.method.name
    if baseline.last_checkpoint is not None and same_method:
        load_method_state(method, baseline.last_checkpoint)
        return {"all heads": WARM}, _warmup(cfg.head_warmup_steps, 0)
    path = cfg.checkpoint.path
    if path is not None and own_weights(path) is None:
        parts = warm_start(method, open_checkpoint(path, LoadOptions(**load_options(cfg))), cfg.method.name)
    else:
        parts = {"all heads": f"new: the checkpoint carries none for {cfg.method.name}"}
    for part, state in parts.items():
        log.log(logging.INFO if state == WARM else logging.WARNING, "Starting with %s: %s.", part, state)
    return parts, _warmup(cfg.head_warmup_steps, steps_per_epoch if _has_new(parts) else 0)


def load_method_state(method: SSLMethod, checkpoint: Path) -> None:
    """Takes encoder, heads, teachers, prototypes and queues from the training state of another run.

    Raises:
        UserError: If its heads have other shapes.
    """
    content: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    expected = {**method.state_dict(), **{f"{name}.bank": bank.bank for name, bank in method.memory_banks()}}
    banks = {f"{name}.bank": bank["bank"] for name, bank in content[MEMORY_BANKS].items()}
    differing = mismatches(expected, {**content["state_dict"], **banks})
    if differing:
        raise UserError(
            f"{checkpoint} does not fit the configured {type(method).__name__}: {len(differing)} keys differ, first "
            f"{'; '.join(differing[:3])}. Fine-tune with the heads it was trained with, or name its "
            "encoder.safetensors as checkpoint to start from new heads."
        )
    method.load_state_dict(content["state_dict"])
    method.on_load_checkpoint(content)


def _has_new(parts: dict[str, str]) -> bool:
    """Whether something that is trained by gradients begins untrained."""
    return any(state.startswith("new") for part, state in parts.items() if "head" in part or part == "prototypes")


def _warmup(asked: int | str, automatic: int) -> list[HeadWarmup]:
    """Raises a `UserError` if it is asked for by anything but a number of steps or "auto"."""
    if asked != "auto" and not (isinstance(asked, int) and asked >= 0):
        raise UserError(f"Expected head_warmup_steps to be auto or a number of at least 0, got {asked}.")
    num_steps = automatic if isinstance(asked, str) else asked
    if num_steps:
        log.info("The encoder is held still for the first %d steps, while new heads learn.", num_steps)
    return [HeadWarmup(num_steps)] if num_steps else []
