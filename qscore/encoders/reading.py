"""Files of weights, opened without running what may be inside."""

import argparse
import collections
import datetime
import logging
import pathlib
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import omegaconf
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from qscore.errors import UserError, UserFileNotFoundError

# What unpickling anything at all may raise: a spoilt file calls for a stack, a number or a length that is not there.
BROKEN = (
    *(
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AssertionError,
        ArithmeticError,
        MemoryError,
    ),
    *(struct.error, zipfile.BadZipFile),
)
UNLISTED = "something; the format does not let it be listed"
MAX_DEPTH = 32  # of dictionaries inside one another; sources have four
log = logging.getLogger(__name__)

WRAPPERS = {"module", "_orig_mod"}  # segments that DDP, DataParallel, FSDP and torch.compile insert
BOOKKEEPING = {
    "optimizer",
    "optimizer_states",
    "optimizers",
    "lr_schedulers",
    "param_schedulers",
    "callbacks",
    "loops",
    "hooks",
    "meters",
    "message_hub",
    "scaler",
    "fp16_scaler",
    "amp",
    "memory_banks",
}
# What training scripts leave beside weights: settings and numbers. None of these does more than hold values.
ALLOWED: tuple[Any, ...] = (
    argparse.Namespace,
    collections.defaultdict,
    dict,
    list,
    int,
    float,
    Any,
    pathlib.PosixPath,
    pathlib.PurePosixPath,
    np.dtype,
    np.ndarray,
    np.float64,
    np._core.multiarray.scalar,  # type: ignore[attr-defined]
    np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    *(type(np.dtype(code)) for code in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "U1")),
    datetime.datetime,
    datetime.timedelta,
    omegaconf.DictConfig,
    omegaconf.ListConfig,
    omegaconf.base.ContainerMetadata,
    omegaconf.base.Metadata,
    *(
        getattr(omegaconf.nodes, name)
        for name in ("AnyNode", "BooleanNode", "FloatNode", "IntegerNode", "PathNode", "StringNode")
    ),
)


class Placeholder:
    """Stands for an object of another package, whose content nobody here asks for."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass


# What others leave beside weights under names of their own: older numpy's functions, dictionaries, and inert stand-ins.
ALIASES: tuple[tuple[Any, str], ...] = (
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),  # type: ignore[attr-defined]
    (np._core.multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),  # type: ignore[attr-defined]
    *(
        (dict, name)
        for name in (
            "pytorch_lightning.utilities.parsing.AttributeDict",
            "lightning_fabric.utilities.data.AttributeDict",
            "lightning.fabric.utilities.data.AttributeDict",
        )
    ),
    *(
        (Placeholder, f"{package}.{name}")
        for package in ("pytorch_lightning", "lightning.pytorch")
        for name in (
            "callbacks.model_checkpoint.ModelCheckpoint",
            "callbacks.early_stopping.EarlyStopping",
            "trainer.states.RunningStage",
            "trainer.states.TrainerFn",
            "trainer.states.TrainerStatus",
        )
    ),
    (Placeholder, "mmengine.logging.history_buffer.HistoryBuffer"),
    (Placeholder, "pathlib._local.PosixPath"),
    (Placeholder, "pathlib.WindowsPath"),
)


def read_content(path: Path, *, trust: bool = False) -> Mapping[str, Any]:
    """Returns the dictionary that a file of weights holds.

    Args:
        path: A `.safetensors` file, or one that `torch.save` wrote.
        trust: Let the file create any object, which runs whatever code it names.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If it is broken, holds no dictionary, or would run code and is not trusted.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected a checkpoint, found no file {path}.")
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            with torch.serialization.safe_globals([*ALLOWED, *ALIASES]), warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Detected pickle protocol")
                content = torch.load(path, map_location="cpu", weights_only=not trust)
    except SafetensorError as error:
        raise UserError(f"Expected a safetensors file, got {path}: {error}. Export or download it again.") from error
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"Expected the packages whose objects {path} holds, got: {_first_line(error)}. Install them, or take a "
            "file of weights alone."
        ) from error
    except BROKEN as error:
        raise UserError(
            f"Expected weights written by torch.save or safetensors, got {path}: {_first_line(error)} "
            "Download or save it again."
        ) from error
    if not isinstance(content, Mapping):
        raise UserError(
            f"Expected a dictionary of weights in {path}, got a {type(content).__name__}; save its state_dict()."
        )
    return content


def unsafe_objects(path: Path) -> list[str]:
    """Returns what a file would create beyond tensors and the values of `ALLOWED`, without creating it."""
    if path.suffix == ".safetensors":
        return []
    try:
        if zipfile.is_zipfile(path):
            with torch.serialization.safe_globals([*ALLOWED, *ALIASES]):
                return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except (*BROKEN, pickle.UnpicklingError, AttributeError):
        log.debug("%s cannot be listed.", path, exc_info=True)
    return [] if _opens_safely(path) else [UNLISTED]


def _opens_safely(path: Path) -> bool:
    try:
        read_content(path)
    except UserError:
        return False
    return True


def flatten(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """Returns all tensors that are not an optimizer's or another keeper's of books, under dotted keys.

    Raises:
        UserError: If a tensor comes twice, or dictionaries lie too deep inside one another.

    >>> list(flatten({"epoch": 3, "state_dict": {"module.fc.bias": torch.zeros(1)}, "optimizer": {"a": torch.ones(1)}}))
    ['state_dict.fc.bias']
    """
    return _flat(content, MAX_DEPTH)


def _flat(content: Mapping[str, Any], depth: int) -> dict[str, Tensor]:
    if depth == 0:
        raise UserError(f"Expected weights in at most {MAX_DEPTH} dictionaries inside one another, got more of them.")
    tensors: dict[str, Tensor] = {}
    for key, value in content.items():
        if isinstance(value, Tensor):
            tensors[_unwrapped(str(key))] = value
        elif isinstance(value, Mapping) and key not in BOOKKEEPING and not isinstance(value, omegaconf.DictConfig):
            for name, tensor in _flat(value, depth - 1).items():
                unwrapped = _unwrapped(f"{key}.{name}")
                if unwrapped in tensors and tensors[unwrapped] is not tensor:
                    raise UserError(
                        f"Expected one tensor for {unwrapped}, got a wrapped and a plain one; save one alone."
                    )
                tensors[unwrapped] = tensor
    return tensors


def _unwrapped(key: str) -> str:
    return ".".join(segment for segment in key.split(".") if segment not in WRAPPERS)


def _refusal(path: Path, error: pickle.UnpicklingError) -> UserError:
    """The message for a file that holds more than values, or that no pickle ever wrote."""
    unsafe = re.findall(r"GLOBAL ([\w.]+)", str(error))
    if unsafe and zipfile.is_zipfile(path):
        unsafe = unsafe_objects(path)
    if not unsafe:
        return UserError(f"Expected weights written by torch.save or safetensors, got something else in {path}.")
    advice = (
        "Take exported_models/exported_last.pt of the same run instead"
        if any(name.startswith("lightly_train") for name in unsafe)
        else "If you trust where the file comes from, pass checkpoint.trust=true, which lets it run code"
    )
    return UserError(
        f"Expected tensors and settings in {path}, got objects that run code when created: {', '.join(unsafe)}. "
        f"{advice}."
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].strip() if str(error).strip() else type(error).__name__
