"""The options of the evaluation by forced choice, looked at before anything else is done."""

import inspect
from typing import Any

from omegaconf import DictConfig, OmegaConf

from qscore.errors import UserError, unknown_name
from qscore.interpretability.forced_choice.evaluation import NAME, forced_choice
from qscore.interpretability.forced_choice.options import check_options


def check_forced_choice(evaluations: DictConfig) -> None:
    """Looks for captions, descriptions and models and at the options, so that no mistake is seen after training.

    Raises:
        UserError: If a file or model cannot be had, or an option has no meaning.
    """
    if NAME not in evaluations:
        return
    if "_target_" not in evaluations[NAME]:
        raise UserError(f"Expected evaluation={NAME} for its options; for all others too: evaluation=[all,{NAME}].")
    chosen: Any = OmegaConf.to_container(evaluations[NAME])
    given = {name: value for name, value in chosen.items() if not name.startswith("_")}
    known = {
        name: option.default
        for name, option in inspect.signature(forced_choice).parameters.items()
        if option.default is not option.empty
    }
    for name in given:
        if name not in known:
            raise unknown_name("option of forced_choice", name, known)
    check_options(**known | given)
