"""Commands as the pages show them: run in this process, or only understood."""

import glob
import re
import runpy
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import uvicorn
from packaging.requirements import Requirement
from torch.distributed.run import get_args_parser

from qscore import encoders, report, study
from qscore.application.command_line import run_command
from qscore.application.entry_points import evaluate_task, train_task
from qscore.encoders.__main__ import main as of_encoders
from qscore.report.__main__ import main as of_report
from qscore.study.__main__ import main as of_study
from tests.conftest import REPOSITORY
from tests.docs.understanding import Understood, compose_only, stop_after_parsing

TASKS = {"train": train_task, "evaluate": evaluate_task}
SCRIPTS = {"train.py": "train", "evaluate.py": "evaluate", "qscore-train": "train", "qscore-evaluate": "evaluate"}
MAINS = {
    f"{package.__name__}": main for package, main in ((encoders, of_encoders), (report, of_report), (study, of_study))
}
QUIET = ["num_workers=0", "hydra/job_logging=none", "hydra/hydra_logging=none"]
FILES = {"cp", "mkdir", "cd"}
OF_OTHERS = {
    "wandb": ("login", "sync", "offline"),
    "tensorboard": ("--logdir",),
    "pip-audit": ("--local",),
    "source": (".venv/bin/activate",),
}


def words(line: str) -> list[str]:
    """Of a command line without its comment, `$(...)` and stars resolved as a shell would."""
    split = shlex.split(line.replace("RUN_DIR...", "RUN_DIR"), comments=True)
    return [found for word in split for found in (sorted(glob.glob(word)) if "*" in word else None) or [word]]


def start(line: str, options: list[str], *, only_understand: bool, patch: pytest.MonkeyPatch) -> None:
    """Runs a command in the current folder, or checks that it would be understood; raises if it is not."""
    program, *arguments = words(line)
    if program in ("torchrun", "srun"):
        program, arguments = _launched(program, arguments)
    if program == "python" and arguments[:1] == ["-m"]:
        _module(arguments[1], [*arguments[2:], *options], only_understand, patch)
    elif program in SCRIPTS or (program == "python" and arguments[0] in SCRIPTS):
        name, given = (SCRIPTS[program], arguments) if program in SCRIPTS else (SCRIPTS[arguments[0]], arguments[1:])
        if only_understand:
            compose_only(name, [*given, *options])
        else:
            _hydra(name, [*given, *options], patch)
    elif program == "python":
        _script(arguments, only_understand, patch)
    elif program == "make":
        assert re.search(rf"^{arguments[0]}:", (REPOSITORY / "Makefile").read_text(), flags=re.M), line
    elif program == "pip":
        _installable([word for word in arguments[1:] if not word.startswith("-")])
    elif program in FILES:
        _file_command(program, arguments, only_understand, patch)
    else:
        assert arguments[0].split("=")[0] in OF_OTHERS.get(program, ()), f"nobody knows how to check: {line}"


def _launched(program: str, arguments: list[str]) -> tuple[str, list[str]]:
    """The command that torchrun or srun starts on each device."""
    if program == "torchrun":
        options = get_args_parser().parse_args(arguments)
        return "python", [options.training_script, *options.training_script_args]
    own = next(i for i, word in enumerate(arguments) if not word.startswith("-"))
    return arguments[own], arguments[own + 1 :]


def _module(name: str, arguments: list[str], only_understand: bool, patch: pytest.MonkeyPatch) -> None:
    if name not in MAINS:  # benchmarks, pytest
        assert find_spec(name), name
        assert all(Path(REPOSITORY, word).exists() for word in arguments[:1] if "/" in word or word == "tests"), name
        return
    with patch.context() as context:
        context.setattr(uvicorn.Server, "run", lambda *_, **__: None)  # a server that is told to stop at once
        if only_understand:
            stop_after_parsing(context)
        try:
            status = MAINS[name](arguments)
        except Understood:
            return
        except SystemExit as stop:  # --help
            status = int(stop.code or 0)
    assert status == 0, (name, arguments, status)


def _hydra(name: str, arguments: list[str], patch: pytest.MonkeyPatch) -> None:
    """Runs train.py or evaluate.py here, without worker processes and without W&B."""
    ends_soon = any(word.startswith(("epochs=", "resume=", "--help", "--cfg", "--info")) for word in arguments)
    assert name == "evaluate" or ends_soon, "a whole training: say <!-- run with: epochs=1 ... --> before the block"
    logger = ["logger=csv"] if name == "train" and not any(a.startswith("logger=") for a in arguments) else []
    alone = [] if any(a.startswith("resume=") for a in arguments) else [*QUIET, *logger]
    with patch.context() as context:
        end = next((i for i, word in enumerate(arguments) if word.startswith("--")), len(arguments))
        context.setattr(sys, "argv", [f"{name}.py", *arguments[:end], *alone, *arguments[end:]])
        status = None
        try:
            run_command(TASKS[name], config_name=name)
        except SystemExit as stop:
            status = stop.code
    assert not status, (name, arguments)


def _script(arguments: list[str], only_understand: bool, patch: pytest.MonkeyPatch) -> None:
    file = Path(arguments[0]) if Path(arguments[0]).is_file() else REPOSITORY / arguments[0]
    compile(file.read_text(encoding="utf-8"), str(file), "exec")
    if not only_understand:
        with patch.context() as context:
            context.setattr(sys, "argv", arguments)
            runpy.run_path(str(file), run_name="__main__")


def _installable(wanted: list[str]) -> None:
    extras = set(re.findall(r"^(\w+) = \[", (REPOSITORY / "pyproject.toml").read_text(), flags=re.M))
    for requirement in map(Requirement, (word.replace(".[", "qscore[", 1) for word in wanted if word != ".")):
        assert requirement.name != "qscore" or requirement.extras <= extras, requirement


def _file_command(program: str, arguments: list[str], only_understand: bool, patch: pytest.MonkeyPatch) -> None:
    names = [Path(word) for word in arguments if not word.startswith("-")]
    if only_understand:
        return
    if program == "cp":
        assert names[0].is_dir(), names[0]
        shutil.copytree(*names)
    elif program == "mkdir":
        names[0].mkdir(parents=True, exist_ok=True)
    else:
        patch.chdir(names[0])
