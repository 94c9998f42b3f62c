"""The commands `qscore-train` and `qscore-evaluate`, which are `train.py` and `evaluate.py` of a clone."""

from omegaconf import DictConfig

from qscore.application.command_line import run_command


def train() -> None:
    """Fine-tunes, with the configuration of the command line."""
    run_command(train_task, config_name="train")


def evaluate() -> None:
    """Evaluates, with the configuration of the command line."""
    run_command(evaluate_task, config_name="evaluate")


def train_task(cfg: DictConfig) -> float | None:
    """From the configuration to a run directory with an encoder and its results; returns what a search looks at."""
    from qscore.application import commands  # loads torch, which --help and --cfg do not wait for

    return commands.train(cfg)


def evaluate_task(cfg: DictConfig) -> None:
    """From an encoder to its result files."""
    from qscore.application import commands

    commands.evaluate(cfg)
