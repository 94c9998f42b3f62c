"""Experts by name: those that need no weights, and anybody's by a dotted path."""

import importlib
from collections.abc import Callable

from qscore.errors import UserError, unknown_name
from qscore.interpretability.reverse_probing.experts.colour import Colour, ColourCount
from qscore.interpretability.reverse_probing.experts.expert import Expert
from qscore.interpretability.reverse_probing.experts.light import Brightness, Saturation
from qscore.interpretability.reverse_probing.experts.shape import Shape
from qscore.interpretability.reverse_probing.experts.structure import Edges, Sharpness

KNOWN: dict[str, Callable[[], Expert]] = {
    "brightness": Brightness,
    "colour": Colour,
    "colour_count": ColourCount,
    "edges": Edges,
    "saturation": Saturation,
    "shape": Shape,
    "sharpness": Sharpness,
}


def expert_by_name(name: str) -> Expert:
    """Returns one of the known experts, or that at a dotted path.

    Args:
        name: Such as "colour", or "my_package.my_expert": an expert, or a class or function that gives one when it is
            called without arguments.

    Raises:
        UserError: If there is none of that name, or it is not an expert.
    """
    if name in KNOWN:
        return KNOWN[name]()
    if "." not in name or not all(part.isidentifier() for part in name.split(".")):
        raise unknown_name("expert", name, [*KNOWN, "my_package.my_expert"])
    found = _imported(name)
    is_made = isinstance(found, Expert) and not isinstance(found, type)
    try:
        expert = found if is_made or not callable(found) else found()
    except TypeError as error:
        raise UserError(f"Expected an expert that is made without arguments at {name}: {error}.") from error
    if not isinstance(expert, Expert):
        raise UserError(
            f"Expected an expert, or what gives one, at {name}, got {type(expert).__name__}: an expert has name, "
            "group, concept_names and fingerprint, and can be called with images."
        )
    return expert


def _imported(path: str) -> object:
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UserError(f"Expected an expert at the dotted path {path}; it cannot be imported: {error}.") from error
