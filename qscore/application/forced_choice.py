"""The options of the evaluation by forced choice, looked at before anything else is done."""

from omegaconf import DictConfig

from qscore.application.chosen_options import chosen_options
from qscore.interpretability.forced_choice.evaluation import NAME, forced_choice
from qscore.interpretability.forced_choice.options import check_options


def check_forced_choice(evaluations: DictConfig) -> None:
    """Looks for captions, descriptions and models and at the options, so that no mistake is seen after training.

    Raises:
        UserError: If a file or model cannot be had, or an option has no meaning.
    """
    if (chosen := chosen_options(evaluations, NAME, forced_choice)) is not None:
        check_options(**chosen)
