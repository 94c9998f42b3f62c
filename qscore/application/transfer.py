"""The data sets of the transfer evaluations: checked before anything else, built when it is their turn."""

import functools
from collections.abc import Callable
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from qscore.application.data_words import REVERSE_TRANSFER, TRANSFER
from qscore.data import ImageDataModule
from qscore.data.sources import Splits
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.evaluation.transfer import NAME
from qscore.interpretability.reverse_probing.clustered import KMEANS, check_options
from qscore.interpretability.reverse_probing.sources import check_words
from qscore.interpretability.reverse_probing.transfer_evaluation import NAME as REVERSE_NAME
from qscore.results import Result

Evaluation = Callable[[EvaluationInputs], Result]
KEYS = {NAME: TRANSFER, REVERSE_NAME: REVERSE_TRANSFER}


def check_transfer(evaluations: DictConfig) -> None:
    """Looks for every data set of the transfer evaluations, so that none is missed after hours of training.

    Raises:
        UserError: If some are not there, or have no labels or one class only; it names them all. If none is named, or
            they are named without `evaluation=transfer`.
    """
    for name, key in KEYS.items():
        if name in evaluations:
            _check(evaluations[name], name, key)


def check_reverse_probing(evaluations: DictConfig) -> None:
    """Looks for the concepts and at the options of reverse probes, so that no mistake in them is seen after training.

    Raises:
        UserError: If a concept cannot be had, or an option has no meaning.
    """
    for name in {"reverse_probing", REVERSE_NAME}.intersection(map(str, evaluations)):
        chosen = evaluations[name]
        if "_target_" not in chosen:
            raise UserError(f"Expected evaluation={name} for its options; for all others too: evaluation=[all,{name}].")
        words: Any = (
            OmegaConf.to_container(chosen.concepts) if OmegaConf.is_list(chosen.concepts) else [chosen.concepts]
        )
        check_words([str(word) for word in words])
        ks: Any = chosen.get("ks", [])
        check_options(
            chosen.get("grouping", KMEANS),
            chosen.num_clusters,
            chosen.num_clusterings,
            list(ks) if OmegaConf.is_list(ks) else ks,
            chosen.solver,
        )


def build_evaluations(evaluations: DictConfig, data: ImageDataModule) -> dict[str, Evaluation]:
    """Returns the evaluations by name, that of transfer with its data sets.

    Args:
        evaluations: One node an evaluation.
        data: Of the encoder; other images are brought to its size, at the crop of their own configuration.
    """
    built: dict[str, Evaluation] = {}
    for name, node in evaluations.items():
        if name in KEYS:
            datasets = {key: _data(chosen, data) for key, chosen in node.datasets.items()}
            rest: Any = DictConfig({key: value for key, value in node.items() if key != "datasets"})
            built[name] = functools.partial(instantiate(rest), datasets=datasets)
        else:
            built[str(name)] = instantiate(node)
    return built


def _check(evaluation: DictConfig, name: str, key: str) -> None:
    if "_target_" not in evaluation:
        raise UserError(f"Expected evaluation={name} with {key}; for all others too: evaluation=[all,{name}].")
    if not evaluation.datasets:
        raise UserError(f"Expected data sets to transfer to, got none; name them: {key}=[cifar10,stl10,FOLDER].")
    problems = {each: _problem(chosen, needs_labels=name == NAME) for each, chosen in evaluation.datasets.items()}
    if any(problems.values()):
        found = [f"{each}: {problem}" for each, problem in problems.items() if problem]
        lines = [f"{len(found)} of {len(problems)} data sets of {name} cannot be used:", *found]
        # Data sets speak of the run's own data.source, which is none of theirs here.
        raise UserError("\n".join(lines).replace("data.source", f"{key}.NAME.source"))


def _data(chosen: DictConfig, like: ImageDataModule) -> ImageDataModule:
    return ImageDataModule(
        instantiate(chosen.source),
        image_size=like.image_size,
        batch_size=like.batch_size,
        crop_fraction=chosen.crop_fraction,
        num_workers=like.num_workers,
        seed=like.seed,
    )


def _problem(chosen: DictConfig, *, needs_labels: bool) -> str | None:
    try:
        splits: Splits = instantiate(chosen.source)
    except InstantiationException as error:
        if isinstance(error.__cause__, UserError):
            return str(error.__cause__)
        raise
    labels = splits.train.labels
    if not needs_labels:
        return None
    if labels is None or splits.test.labels is None:
        return "Expected labelled images, got none with labels; put them into one folder a class."
    if int(labels.min()) == int(labels.max()):
        return "Expected at least 2 classes to tell apart, got one; add a folder for another class."
    return None
