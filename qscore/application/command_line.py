"""The face of the commands: shortcuts, one clear message for a user's mistake, exit status 2."""

import importlib
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qscore.application.concept_words import caption_overrides, concept_overrides
from qscore.application.data_words import (
    QUOTES,
    REVERSE_TRANSFER,
    TRANSFER,
    data_names,
    data_override,
    is_there,
    quoted,
    transfer_overrides,
)
from qscore.application.interruptions import faults_told, terminable
from qscore.application.launch import OF_OTHERS, agreed_start, is_first_process
from qscore.application.mistakes import FULL_ERROR, as_mistake
from qscore.application.run_directory import FACTS, existing_run
from qscore.application.trusted import trusted
from qscore.errors import UserError, cannot_write
from qscore.installation import config_dir

USER_MISTAKE = 2
NO_TRIAL = "No trials are completed yet."  # all that Optuna says of a search in which every trial failed


def run_command(task: Callable[[DictConfig], object], *, config_name: str) -> None:
    """Composes the configuration from the command line and runs a task with it.

    What the task returns is for the sweeper of a search. Exit status 0 only if the task did all it was asked for; 2 and
    one message on stderr for a mistake of the user or a fault of the machine (HYDRA_FULL_ERROR=1 shows the traceback);
    143 after SIGTERM, 130 after Ctrl-C; anything else keeps its traceback.
    """
    wants_traceback = os.environ.get(FULL_ERROR) == "1"
    folder = config_dir()
    with terminable(), _errors_from_hydra(), _mistakes_explained(config_name, wants_traceback):
        sys.argv[1:] = expand_shortcuts(sys.argv[1:], config_name, known_data=data_names(sys.argv[1:], folder))
        others = () if is_first_process() else OF_OTHERS
        sys.argv[1:] = [*sys.argv[1:], *(option for option in others if option not in sys.argv)]

        def job(cfg: DictConfig) -> object:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                with faults_told():
                    return task(cfg)  # `SweepFailures` notes the error, and the others go on
            with _mistakes_explained(config_name, wants_traceback), faults_told():
                return task(cfg)

        with agreed_start():
            try:
                hydra.main(version_base="1.3", config_path=str(folder), config_name=config_name)(job)()
            finally:
                if "torch" in sys.modules:  # else nothing was run, as by --help, and torch would take seconds to load
                    importlib.import_module("qscore.processes").part()


@contextmanager
def _errors_from_hydra() -> Iterator[None]:
    """Has Hydra raise its errors, for the block, instead of printing them."""
    before = os.environ.get(FULL_ERROR)
    os.environ[FULL_ERROR] = "1"
    try:
        yield
    finally:
        os.environ.pop(FULL_ERROR)
        if before is not None:
            os.environ[FULL_ERROR] = before


@contextmanager
def _mistakes_explained(config_name: str, wants_traceback: bool) -> Iterator[None]:
    try:
        yield
    except (UserError, HydraException, OmegaConfBaseException) as error:
        mistake = as_mistake(error, config_name)
        if wants_traceback or mistake is None:
            raise
        print(f"{Path(sys.argv[0]).name}: {mistake}", file=sys.stderr)
        raise SystemExit(USER_MISTAKE) from None
    except OSError as error:  # of Hydra's own files: the task has explained its own
        told = cannot_write(error, Path(error.filename)) if isinstance(error.filename, str) else None
        if wants_traceback or told is None:
            raise
        print(f"{Path(sys.argv[0]).name}: {told}", file=sys.stderr)
        raise SystemExit(USER_MISTAKE) from None
    except ValueError as error:
        if wants_traceback or str(error) != NO_TRIAL:
            raise
        print(f"{Path(sys.argv[0]).name}: no trial of the search succeeded; the log above says why.", file=sys.stderr)
        raise SystemExit(USER_MISTAKE) from None


def output_dir() -> Path:
    """Returns the run directory that Hydra made for the running task."""
    return Path(HydraConfig.get().runtime.output_dir)


def saved_config(cfg: DictConfig) -> DictConfig:
    """Returns the configuration of the run that `resume` names, or the given one where it names none."""
    if cfg.resume is None:
        return cfg
    saved: DictConfig = OmegaConf.create(trusted(existing_run(cfg.resume).config, f"{cfg.resume}/{FACTS}"))
    return saved


def expand_shortcuts(arguments: list[str], config_name: str, *, known_data: Collection[str] = ()) -> list[str]:
    """Returns the overrides with their short forms written out.

    - `data=FOLDER` and `data=FILE.npz` name images of the user's own;
    - `evaluation.transfer.datasets=[cifar10,FOLDER]` names data sets in the same words;
    - `concepts=[labels,colour,FILE.csv]` is `evaluation.reverse_probing.concepts`, or that of `reverse_transfer`;
    - `captions=FILE.csv` and `descriptions=FILE.csv` are those of `evaluation.forced_choice`;
    - `resume=RUN_DIR` goes on in that very directory;
    - `checkpoint=FILE` is `checkpoint.path=FILE`, and so is `encoder=FILE` of evaluate.py.

    Raises:
        UserError: If `resume` or `data` names what is not there, or transfer an unknown data set.

    >>> expand_shortcuts(["lambda=1", "data=cifar10"], "train")
    ['lambda=1', 'data=cifar10']
    >>> expand_shortcuts(["encoder=encoder.safetensors"], "evaluate")  # doctest: +ELLIPSIS
    ["checkpoint.path='...encoder.safetensors'"]
    """
    resumed = [a for a in arguments if a.startswith("resume=") and a not in ("resume=", "resume=null")]
    others = [a for a in arguments if a not in resumed and not a.startswith(("hydra", "-"))]
    if resumed and others:
        raise UserError(
            f"Expected {resumed[0]} alone, got {' '.join(others)} too: a run goes on with the settings it began with. "
            "Start another run to change them."
        )
    expanded = []
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name == "data" and (own := data_override(value, known_data)):
            expanded += own
        elif name in (TRANSFER, REVERSE_TRANSFER):
            expanded += transfer_overrides(value, known_data, name)
        elif name == "run" and is_there(Path(value.strip(QUOTES))):
            expanded.append(f"run={quoted(value.strip(QUOTES))}")  # runs of a sweep have a = in their names
        elif name == "concepts":
            expanded += concept_overrides(value, arguments)
        elif name in ("captions", "descriptions"):
            expanded += caption_overrides(name, value)
        elif name == "checkpoint" or (name == "encoder" and config_name == "evaluate"):
            expanded.append(f"checkpoint.path={_checkpoint_path(value)}")
        elif name == "resume" and value not in ("", "null"):
            directory = existing_run(value.strip(QUOTES)).path.absolute()
            options = [f"resume={quoted(str(directory))}", f"hydra.run.dir={quoted(str(directory))}"]
            expanded += [*options, "hydra.output_subdir=null"]
        else:
            expanded.append(argument)
    return expanded


def _checkpoint_path(value: str) -> str:
    """A quoted path or null; a sweep over several, separated by commas, stays one."""
    if value.startswith(("choice(", "glob(")):
        return value
    paths = [value] if is_there(Path(value.strip(QUOTES))) else value.split(",")
    # A run remembers where its checkpoint lies, wherever it is resumed from.
    return ",".join(
        path if path in ("", "null") else quoted(str(Path(path.strip(QUOTES)).expanduser().absolute()))
        for path in paths
    )
