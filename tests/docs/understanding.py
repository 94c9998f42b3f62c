"""Commands that cannot run here are understood: options are parsed, settings are composed."""

import argparse
import re

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from qscore.application.command_line import expand_shortcuts
from tests.conftest import REPOSITORY

CONF = REPOSITORY / "conf"
NOT_INSTALLED = "ray"  # its launcher conflicts with joblib: docs/how-to/sweeps.md


class Understood(Exception):  # noqa: N818 - no error: the options were parsed, and that is all that was wanted
    """Raised in place of doing what a command says."""


def stop_after_parsing(context: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def understood(self: argparse.ArgumentParser, *arguments: object) -> None:
        parse(self, *arguments)  # type: ignore[call-overload]
        raise Understood

    context.setattr(argparse.ArgumentParser, "parse_args", understood)


def compose_only(name: str, arguments: list[str]) -> None:
    """Composes what a command would run with; of a sweep, with each choice once."""
    given = [word for word in arguments if word not in ("-m", "--multirun", "--cfg", "job", "--help")]
    if f"launch={NOT_INSTALLED}" in given:
        assert (CONF / "launch" / f"{NOT_INSTALLED}.yaml").is_file()
        given = [word for word in given if not word.startswith(("launch=", "hydra.launcher"))]
    known = [path.stem for path in CONF.glob("data/*.yaml")]
    parsed = OverridesParser.create().parse_overrides(expand_shortcuts(given, name, known_data=known))
    choices = [_choices(override) for override in parsed]
    first = [values[0] for values in choices]
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        compose(name, first, return_hydra_config=True)
        for place, values in enumerate(choices):
            for other in values[1:]:
                compose(name, [*first[:place], other, *first[place + 1 :]], return_hydra_config=True)


def _choices(override: Override) -> list[str]:
    """A setting, once for each choice of a sweep over it; of numbers only the first."""
    if not override.is_sweep_override():
        return [str(override.input_line)]
    key = override.get_key_element()
    if override.is_interval_sweep():
        return [f"{key}={override.value().start}"]
    values = list(override.sweep_string_iterator())
    return [f"{key}={value}" for value in values if value is values[0] or not re.fullmatch(r"[\d.e-]+", value)]
