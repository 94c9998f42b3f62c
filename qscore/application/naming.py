"""The options of the evaluation for naming, looked at before anything else is done."""

from omegaconf import DictConfig

from qscore.application.chosen_options import chosen_options
from qscore.interpretability.naming.evaluation import NAME, naming
from qscore.interpretability.naming.options import check_options


def check_naming(evaluations: DictConfig) -> None:
    """Looks at the options, so that no mistake is seen after training.

    Raises:
        UserError: If one is unknown or has no meaning.
    """
    if (chosen := chosen_options(evaluations, NAME, naming)) is not None:
        check_options(**chosen)
