"""The options of an evaluation as a user wrote them, beside those that it has."""

import inspect
from collections.abc import Callable
from typing import Any

from omegaconf import DictConfig, OmegaConf

from qscore.errors import UserError, unknown_name


def chosen_options(evaluations: DictConfig, name: str, evaluation: Callable[..., Any]) -> dict[str, Any] | None:
    """Returns every option of an evaluation, with its default where nothing is chosen; None where it is not asked for.

    Raises:
        UserError: If an option is not one of it, or it has options only.
    """
    if name not in evaluations:
        return None
    if "_target_" not in evaluations[name]:
        raise UserError(f"Expected evaluation={name} for its options; for all others too: evaluation=[all,{name}].")
    chosen: Any = OmegaConf.to_container(evaluations[name])
    given = {option: value for option, value in chosen.items() if not option.startswith("_")}
    known = {
        option: parameter.default
        for option, parameter in inspect.signature(evaluation).parameters.items()
        if parameter.default is not parameter.empty
    }
    for option in given:
        if option not in known:
            raise unknown_name(f"option of {name}", option, known)
    return known | given
