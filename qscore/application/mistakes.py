"""Errors in the words of the person who made the mistake."""

import difflib
import re
from typing import Any

import hydra
from hydra.errors import InstantiationException
from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError

from qscore.errors import UserError, unknown_name
from qscore.installation import command, config_dir

FULL_ERROR = "HYDRA_FULL_ERROR"
MOST_LINES = 11
SWEEP = 'pip install "qscore[sweep]"'
PLUGINS = {
    "joblib": SWEEP,
    "submitit_local": SWEEP,
    "submitit_slurm": SWEEP,
    "optuna": SWEEP,
    "ray": "pip install hydra-ray-launcher",  # asks for an older cloudpickle than joblib does
}


def as_mistake(error: BaseException, config_name: str) -> str | None:
    """Returns the message for a mistake of the user; None if the error is not one."""
    cause = error.__cause__
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, InstantiationException):
        if isinstance(cause, UserError):
            return str(cause)
        return _first_lines(error) if isinstance(cause, TypeError) else None
    plugin = re.search(r"Could not find 'hydra/(?:launcher|sweeper)/(\w+)'", str(error))
    if plugin and plugin[1] in PLUGINS:
        return f"Expected Hydra's plugin for {plugin[1]} to be installed, it is not; run: {PLUGINS[plugin[1]]}"
    choice = re.search(
        r"Could not find '([^']+)/([^'/]+)'\s+Available options in '[^']+':\n((?:\s+\S+\n?)+)", str(error)
    )
    if choice:
        return str(unknown_name(choice[1], choice[2], choice[3].split()))
    key = re.search(r"Could not override '([^']+)'", str(error))
    if key or isinstance(cause, ConfigKeyError):
        name = key.group(1) if key else str(error)
        return f"unknown option '{name}'.{_suggestion(name, config_name)}"
    return _first_lines(error)


def _suggestion(name: str, config_name: str) -> str:
    known = _option_names(config_name)
    if name in known:
        return " It is not part of this configuration: a chosen group (such as evaluation=...) leaves it out."
    group, _, rest = name.partition(".")
    choice = rest.partition(".")[0]
    if (config_dir() / group / f"{choice}.yaml").is_file():
        return f" It belongs to {group}={choice}, which is not chosen."
    leaf = name.rsplit(".", 1)[-1]
    same_leaf = [option for option in known if option.rsplit(".", 1)[-1] == leaf]
    nearest = same_leaf or difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(nearest[:3])}?" if nearest else ""
    return f"{hint} All options: {command(config_name)} --cfg job"


def _option_names(config_name: str) -> list[str]:
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(config_dir())):
        cfg = hydra.compose(config_name)
    return [*_leaves(OmegaConf.to_container(cfg, resolve=False), "")]


def _leaves(node: Any, prefix: str) -> list[str]:
    names = []
    for key, value in node.items():
        name = f"{prefix}{key}"
        names.append(name)
        if isinstance(value, dict):
            names += _leaves(value, f"{name}.")
    return names


def _first_lines(error: BaseException) -> str:
    """Hydra's own message, without the lines about tracebacks and the search path of packages."""
    kept = [line for line in str(error).splitlines() if line.strip() and FULL_ERROR not in line]
    return "\n".join([*kept[:MOST_LINES], *(["…"] if len(kept) > MOST_LINES else [])])
