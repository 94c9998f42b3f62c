"""Mistakes that the user can mend: shown as one message, without a traceback, with exit status 2."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """What was expected, what came, and what to do about it."""


class UserFileNotFoundError(UserError, FileNotFoundError):
    """A file or folder that the user named is not there."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Returns the error for a name outside a closed list, with the nearest known one in front."""
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return UserError(f"Unknown {kind} '{name}'.{hint} Known: {', '.join(names)}.")
