"""The settings of an encoder, looked at before anything is built of them: they may come from a stranger's file."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from qscore.errors import UserError

MAX_WIDTH = 64.0  # of a ResNet: sixteen times the widest that was ever published


def check_settings(architecture: object, *, stem: object, width: Any, options: object, mean: Any, std: Any) -> None:
    """Raises a `UserError` where a setting is of another kind than the arguments of `Encoder`, or out of range."""
    for name, value in (("architecture", architecture), ("stem", stem)):
        if not isinstance(value, str):
            raise UserError(f"Expected a name as {name} of an encoder, got {value!r:.80}.")
    if not _is_number(width) or not 0 < width <= MAX_WIDTH:
        raise UserError(f"Expected a number over 0, up to {MAX_WIDTH:g}, as width of an encoder, got {width!r:.80}.")
    if options is not None and not (isinstance(options, Mapping) and all(isinstance(key, str) for key in options)):
        raise UserError(f"Expected names and values as options of an encoder, got {options!r:.80}.")
    for name, values, least in (("mean", mean, -math.inf), ("std", std, 0.0)):
        if not _is_colour(values) or not all(value > least for value in values):
            at_least = " over 0" if least == 0 else ""
            raise UserError(f"Expected three finite numbers{at_least} as {name} of an encoder, got {values!r:.80}.")


def _is_colour(values: Any) -> bool:
    is_list = isinstance(values, Sequence) and not isinstance(values, str) and len(values) == 3
    return is_list and all(_is_number(value) for value in values)


def _is_number(value: Any) -> bool:
    """Whether it is a finite number that single precision has room for."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e38
