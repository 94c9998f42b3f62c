"""Loggers: CSV always, and beside it W&B (offline where there is no account), TensorBoard, or nothing."""

import importlib.util
import itertools
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger

from qscore.application.lenient_loggers import LenientTensorBoardLogger, LenientWandbLogger
from qscore.application.run_directory import RunDirectory
from qscore.application.whole_files import WholeCSVLogger
from qscore.errors import UserError, unknown_name

log = logging.getLogger(__name__)

KINDS = ("wandb", "csv", "tensorboard", "none")
METRICS = "metrics.csv"
WANDB_OFFLINE_MODES = ("offline", "dryrun", "disabled")


def build_loggers(run: RunDirectory, kind: str, *, project: str, config: dict[str, Any]) -> list[Logger]:
    """Returns the loggers of a run.

    Args:
        run: Where they write.
        kind: "wandb", "csv", "tensorboard" or "none".
        project: W&B project.
        config: Settings to show in W&B.

    Raises:
        UserError: If the kind is unknown.
    """
    if kind not in KINDS:
        raise unknown_name("logger", kind, KINDS)
    if kind == "none":
        return []
    loggers: list[Logger] = []
    if not run.is_complete:  # a complete run is only evaluated: its metrics.csv stays as it is
        _keep_earlier_metrics(run.path)
        loggers.append(_csv_logger(run.path))
    if kind == "tensorboard":
        if importlib.util.find_spec("tensorboard") is None:
            raise UserError("Expected tensorboard to be installed for logger=tensorboard; run: pip install tensorboard")
        loggers.append(LenientTensorBoardLogger(run.path, name="tensorboard", version=""))
    if kind == "wandb":
        loggers += _wandb_loggers(run, project, config)
    return loggers


@contextmanager
def open_loggers(run: RunDirectory, kind: str, *, project: str, config: dict[str, Any]) -> Iterator[list[Logger]]:
    """Yields the loggers of a run; ends its W&B run with the block, so that each run of a sweep has one of its own."""
    loggers = build_loggers(run, kind, project=project, config=config)
    try:
        yield loggers
    finally:
        for logger in loggers:
            if isinstance(logger, WandbLogger):
                _finish(logger)


def log_pictures(loggers: list[Logger], pictures: dict[str, Path], metrics: dict[str, float]) -> None:
    """Shows pictures of a report, and final numbers, in W&B."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            for name, file in pictures.items():
                logger.log_image(f"report/{name}", [str(file)])
            logger.experiment.summary.update(metrics)


def _finish(logger: WandbLogger) -> None:
    import wandb

    run = logger.experiment
    if run.offline:
        log.info("W&B was offline. Upload the run with: wandb sync %s", Path(run.dir).parent)
    wandb.finish()


def _csv_logger(directory: Path) -> CSVLogger:
    """Lightning warns that it will delete an earlier `metrics.csv`; none is left here to delete."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Experiment logs directory .* exists")
        return WholeCSVLogger(directory)


def _wandb_loggers(run: RunDirectory, project: str, config: dict[str, Any]) -> list[Logger]:
    """Online where W&B lets us, offline otherwise, else none: a logger is no reason to lose a run."""
    import wandb

    options: dict[str, Any] = {
        "project": project,
        "name": run.path.name,
        "save_dir": run.path,
        "config": config,
        "resume": "allow",
        "id": run.facts.get("wandb_id"),
    }
    mode = os.environ.get("WANDB_MODE")
    try:
        if mode in WANDB_OFFLINE_MODES or wandb.login(prompt=False, verify=True):
            chosen = {"mode": mode} if mode in WANDB_OFFLINE_MODES else {}
            return [_opened(LenientWandbLogger(**options, **chosen), run)]
        log.info("No W&B account: logging offline under %s (log in with: wandb login).", run.path / "wandb")
    except (wandb.errors.Error, OSError) as error:
        log.warning("W&B cannot be reached (%s): logging offline under %s.", error, run.path / "wandb")
    try:
        return [_opened(LenientWandbLogger(**options, mode="offline", offline=True), run)]
    except (wandb.errors.Error, OSError) as error:
        log.warning("W&B cannot write in %s (%s): going on without it. %s has it all.", run.path, error, METRICS)
        return []


def _opened(logger: WandbLogger, run: RunDirectory) -> WandbLogger:
    run.update(wandb_id=logger.experiment.id)
    return logger


def _keep_earlier_metrics(directory: Path) -> None:
    """Lightning's CSV logger starts its file anew; what an interrupted run wrote stays beside it."""
    file = directory / METRICS
    if not file.is_file():
        return
    number = next(n for n in itertools.count(1) if not (directory / f"metrics.{n}.csv").exists())
    file.rename(directory / f"metrics.{number}.csv")
