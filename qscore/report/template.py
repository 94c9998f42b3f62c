"""The pages' templates, which share a style and the way tables look."""

from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader

from qscore import __version__


def rendered(name: str, **values: Any) -> str:
    """Returns the page of a template of this package."""
    read = files("qscore.report").joinpath
    loader = FunctionLoader(lambda wanted: read(wanted).read_text(encoding="utf-8"))
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=loader)
    return environment.get_template(name).render(version=__version__, **values)
