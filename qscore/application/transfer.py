"""The data sets of the transfer evaluation: checked before anything else, built when it is their turn."""

import functools
from collections.abc import Callable
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from qscore.application.data_words import TRANSFER
from qscore.data import ImageDataModule
from qscore.data.sources import Splits
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.evaluation.transfer import NAME
from qscore.results import Result

Evaluation = Callable[[EvaluationInputs], Result]


def check_transfer(evaluations: DictConfig) -> None:
    """Looks for every data set of the transfer evaluation, so that none is missed after hours of training.

    Raises:
        UserError: If some are not there, or have no labels or one class only; it names them all. If none is named, or
            they are named without `evaluation=transfer`.
    """
    if NAME not in evaluations:
        return
    if "_target_" not in evaluations[NAME]:
        raise UserError(f"Expected evaluation={NAME} with {TRANSFER}; for all others too: evaluation=[all,{NAME}].")
    datasets = evaluations[NAME].datasets
    if not datasets:
        raise UserError(f"Expected data sets to transfer to, got none; name them: {TRANSFER}=[cifar10,stl10,FOLDER].")
    problems = {name: _problem(chosen) for name, chosen in datasets.items()}
    if any(problems.values()):
        found = [f"{name}: {problem}" for name, problem in problems.items() if problem]
        lines = [f"{len(found)} of {len(problems)} data sets of {NAME} cannot be used:", *found]
        # Data sets speak of the run's own data.source, which is none of theirs here.
        raise UserError("\n".join(lines).replace("data.source", f"{TRANSFER}.NAME.source"))


def build_evaluations(evaluations: DictConfig, data: ImageDataModule) -> dict[str, Evaluation]:
    """Returns the evaluations by name, that of transfer with its data sets.

    Args:
        evaluations: One node an evaluation.
        data: Of the encoder; other images are brought to its size, at the crop of their own configuration.
    """
    built: dict[str, Evaluation] = {}
    for name, node in evaluations.items():
        if name == NAME:
            datasets = {key: _data(chosen, data) for key, chosen in node.datasets.items()}
            rest: Any = DictConfig({key: value for key, value in node.items() if key != "datasets"})
            built[name] = functools.partial(instantiate(rest), datasets=datasets)
        else:
            built[str(name)] = instantiate(node)
    return built


def _data(chosen: DictConfig, like: ImageDataModule) -> ImageDataModule:
    return ImageDataModule(
        instantiate(chosen.source),
        image_size=like.image_size,
        batch_size=like.batch_size,
        crop_fraction=chosen.crop_fraction,
        num_workers=like.num_workers,
        seed=like.seed,
    )


def _problem(chosen: DictConfig) -> str | None:
    try:
        splits: Splits = instantiate(chosen.source)
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            return str(error.__cause__)
        raise
    labels = splits.train.labels
    if labels is None or splits.test.labels is None:
        return "Expected labelled images, got none with labels; put them into one folder a class."
    if int(labels.min()) == int(labels.max()):
        return "Expected at least 2 classes to tell apart, got one; add a folder for another class."
    return None
