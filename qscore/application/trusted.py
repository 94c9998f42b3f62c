"""What a run directory may have made: objects of the libraries that configurations name, and nothing else."""

import importlib
import os
from collections.abc import Iterator
from typing import Any

from qscore.errors import UserError

TARGET = "_target_"
TRUST = "QSCORE_TRUST"  # packages of the user's own, separated by commas
LIBRARIES = ("qscore.", "lightly.transforms.", "pytorch_lightning.", "torch.optim.", "torchvision.transforms.")
# Where things are defined that `conf/` names. Others of ours write files, or import what they are told to.
DEFINED = (
    *("qscore.application.guard.", "qscore.data.catalogue.", "qscore.data.folder.", "qscore.encoders.encoder."),
    *("qscore.evaluation.", "qscore.methods.", "qscore.regularizer.callback.", "qscore.watch.", "lightly.transforms."),
    *(f"qscore.interpretability.{kind}.evaluation." for kind in ("forced_choice", "naming", "reverse_probing")),
    *("qscore.interpretability.reverse_probing.transfer_evaluation.", "pytorch_lightning.trainer.trainer."),
    *("pytorch_lightning.strategies.", "torch.optim.", "torchvision.transforms."),
)


def trusted(config: Any, source: object) -> Any:
    """Returns the configuration of a run, which may be a stranger's, once each of its `_target_` is known.

    Args:
        config: As in `run.json`.
        source: Where it comes from, for the message.

    Raises:
        UserError: If it is not resolved, or names something to call that is not of what `conf/` names.
    """
    if wrong := [target for target in _targets(config) if not _is_known(target)]:
        shown = str(wrong[0])[:80]
        raise UserError(
            f"Expected {source} to ask for classes of {', '.join(name.rstrip('.') for name in LIBRARIES)} alone, got "
            f"{shown!r}, which would be called. If it is yours, say so: {TRUST}={shown.split('.')[0]}; else take the "
            "encoder alone: encoder=RUN_DIR data=..."
        )
    return config


def _targets(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if TARGET in node:
            yield node[TARGET]
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, str) and "${" in node:  # settings are resolved when they are saved; this could make a target
        yield node
    elif isinstance(node, list):
        for value in node:
            yield from _targets(value)


def _is_known(target: Any) -> bool:
    if not isinstance(target, str):
        return False
    own = tuple(f"{name.strip()}." for name in os.environ.get(TRUST, "").split(",") if name.strip())
    if target.startswith(own):
        return True
    if not target.startswith(LIBRARIES):
        return False
    module, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return False
    return callable(found) and f"{getattr(found, '__module__', '')}.".startswith(DEFINED)
