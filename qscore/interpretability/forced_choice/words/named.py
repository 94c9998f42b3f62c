"""Anybody's functions by name: captioning models, sentence encoders."""

import importlib
from collections.abc import Callable
from typing import Any

from qscore.errors import UserError


def is_named(word: str) -> bool:
    """Returns whether a word has the form of `module:attribute`.

    >>> is_named("my_models.captions:blip"), is_named("captions.csv")
    (True, False)
    """
    module, colon, attribute = word.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), *attribute.split(".")))


def callable_named(word: str, kind: str) -> Callable[..., Any]:
    """Returns what can be called at `module:attribute`; a class is called without arguments first.

    Args:
        word: Such as "my_models:caption", importable where the command runs.
        kind: What it is wanted as, for messages.

    Raises:
        UserError: If it cannot be imported, or cannot be called.
    """
    module, _, attribute = word.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"Expected {kind} at {word}; it cannot be imported: {error}. Name it module:attribute, and put the folder "
            "of the module on PYTHONPATH."
        ) from error
    try:
        made = found() if isinstance(found, type) else found
    except TypeError as error:
        raise UserError(f"Expected {kind} that is made without arguments at {word}: {error}.") from error
    if not callable(made):
        raise UserError(f"Expected {kind} at {word}, which can be called, got {type(made).__name__}.")
    return made  # type: ignore[no-any-return]
