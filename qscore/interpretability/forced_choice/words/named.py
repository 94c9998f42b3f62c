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


def check_named(word: str, kind: str) -> None:
    """Looks whether something that can be called is at `module:attribute`; nothing is made of it, such as a model.

    Raises:
        UserError: If it cannot be imported, or cannot be called.
    """
    found = _found(word, kind)
    if not callable(found):
        raise UserError(f"Expected {kind} at {word}, which can be called, got {type(found).__name__}.")


def callable_named(word: str, kind: str) -> Callable[..., Any]:
    """Returns what can be called at `module:attribute`; a class is called without arguments first.

    Args:
        word: Such as "my_models:caption", importable where the command runs.
        kind: What it is wanted as, for messages.

    Raises:
        UserError: If it cannot be imported, made or called.
    """
    found = _found(word, kind)
    try:
        made = found() if isinstance(found, type) else found
    except Exception as error:  # anybody's code, which may lack weights, memory or a network
        raise UserError(f"Expected {kind} that is made without arguments at {word}: {error!r}.") from error
    if not callable(made):
        raise UserError(f"Expected {kind} at {word}, which can be called, got {type(made).__name__}.")
    return made  # type: ignore[no-any-return]


def _found(word: str, kind: str) -> Any:
    module, _, attribute = word.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # anybody's code runs when it is imported
        raise UserError(
            f"Expected {kind} at {word}; it cannot be imported: {error!r}. Name it module:attribute, and put the "
            "folder of the module on PYTHONPATH."
        ) from error
    return found
