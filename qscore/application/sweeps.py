"""What a sweep adds to its runs: a search's objective, and every run that failed named at the end."""

import logging
import math
import sys
import uuid
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import InstantiationException
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from qscore.application.guard import GUARD_FILE
from qscore.application.run_directory import RunDirectory
from qscore.errors import UserError
from qscore.files import read_json, write_json
from qscore.installation import command

log = logging.getLogger(__name__)

FAILED = "failed.json"
USER_MISTAKE, OTHER_FAILURE = 2, 1
PROBE, GUARD = "linear_probe", "guard"
# Measured on training images. The held-out ones must not choose what they are to judge.
OBJECTIVES = (f"{PROBE}/validation_top1", f"{GUARD}/knn_top1", f"{GUARD}/rank_me", f"{GUARD}/feature_std")


def check_sweep(cfg: DictConfig) -> None:
    """Looks, before anything is trained, whether a sweep is one, and its runs will have the number a search needs.

    Raises:
        UserError: If `launch` or `search` is named without -m; if `objective` is not one of `OBJECTIVES`, is not
            measured, or is missing in a search.
    """
    choices = HydraConfig.get().runtime.choices
    idle = [f"{group}={choices[group]}" for group in ("launch", "search") if choices.get(group)]
    if idle and HydraConfig.get().mode == RunMode.RUN:
        raise UserError(f"Expected -m beside {' '.join(idle)}: {command('train')} -m ...; one run alone is run here.")
    name = cfg.get("objective")  # runs from before there was one have no such entry
    if name is None:
        if "optuna" in HydraConfig.get().sweeper._target_:
            raise UserError(f"Expected a number to search by: name it with objective={OBJECTIVES[0]}.")
        return
    if name not in OBJECTIVES:
        raise UserError(
            f"Expected an objective that is measured on training images, one of {', '.join(OBJECTIVES)}; got '{name}'. "
            "Settings chosen by held-out images would flatter every later number on them."
        )
    source = name.split("/")[0]
    if source == PROBE and PROBE not in cfg.evaluation:
        raise UserError(
            f"Expected evaluation={PROBE} or evaluation=all for objective={name}: nothing else measures it."
        )
    if source == GUARD and not cfg.get(GUARD):
        raise UserError(f"Expected a guard for objective={name}: leave guard=none out.")


def objective(name: str | None, run: RunDirectory) -> float | None:
    """Returns a number of a finished run; None where no `objective` is named.

    Raises:
        UserError: If it is not defined for these images or this training.
    """
    if name is None:
        return None
    source, metric = name.split("/")
    if source == GUARD:
        file = run.path / GUARD_FILE
        found = read_json(file)["curve"][-1] if file.is_file() else {}  # the last state is the encoder of the run
    else:
        found = read_json(run.results / f"{source}.json")["metrics"]
    value = found.get(metric)
    if value is None or not math.isfinite(value):
        raise UserError(f"Expected a number for objective={name}, {run.path} has none; choose another objective.")
    return float(value)


class SweepFailures(Callback):
    """A callback of Hydra: a run that fails leaves `failed.json`, the others go on, and the command ends with a list.

    Hydra alone tells of the first failure and is silent about the rest. To its launchers the run counts as completed
    without a value, which the Optuna sweeper notes as a failed trial.
    """

    def __init__(self) -> None:
        self._sweep = uuid.uuid4().hex  # tells this sweep's failures from those of an earlier one in the folder

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        (Path(config.hydra.runtime.output_dir) / FAILED).unlink(missing_ok=True)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        if config.hydra.mode != RunMode.MULTIRUN or job_return.status != JobStatus.FAILED:
            return
        error = job_return._return_value
        if isinstance(error, InstantiationException) and isinstance(error.__cause__, UserError):
            error = error.__cause__
        mistake = isinstance(error, UserError)
        message = str(error) if mistake else f"{type(error).__name__}: {error}"
        log.error("This run failed. %s", message, exc_info=None if mistake else error)
        content = {"sweep": self._sweep, "mistake": mistake, "error": message}
        write_json(Path(config.hydra.runtime.output_dir) / FAILED, content)
        job_return.return_value, job_return.status = None, JobStatus.COMPLETED

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        files = Path(config.hydra.sweep.dir).rglob(FAILED)
        failed = {file.parent: entry for file in sorted(files) if (entry := read_json(file))["sweep"] == self._sweep}
        if not failed:
            return
        for path, entry in failed.items():
            print(f"{path}: {entry['error']}", file=sys.stderr)
        print(
            f"{Path(sys.argv[0]).name}: {len(failed)} of the runs failed, those above. The same command with "
            f"sweep_dir={config.hydra.sweep.dir} leaves the finished ones alone and tries these again.",
            file=sys.stderr,
        )
        raise SystemExit(USER_MISTAKE if all(entry["mistake"] for entry in failed.values()) else OTHER_FAILURE)
