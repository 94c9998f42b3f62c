"""One real sweep, run as a user would, for all tests that look at what commands leave behind."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import DictConfig

from qscore.application.command_line import run_command
from qscore.application.entry_points import evaluate_task, train_task
from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages
from tests.processes import script

NUM_STEPS_PER_EPOCH = 5
TINY = [
    "experiment=quickstart",
    "data.image_size=28",
    "encoder.width=0.125",
    "pretrain_epochs=1",
    "epochs=2",
    "num_workers=2",
    "trainer.log_every_n_steps=1",
]
BOOTSTRAPS = "evaluation.misclassification.num_bootstraps=20"
LIGHT = [
    BOOTSTRAPS,
    "++evaluation.misclassification.num_prototypes=[5]",
    "++evaluation.feature_selection.percentages=[50,100]",
    "++evaluation.feature_selection.num_random=1",
]
TASKS: dict[str, Callable[[DictConfig], object]] = {"train": train_task, "evaluate": evaluate_task}


def tiny(home: Path, *overrides: str) -> list[str]:
    """Options of a run in `home` that ends within seconds: 675 digits of an `.npz` file, a narrow network."""
    images = home / "digits.npz"
    if not images.is_file():
        train = embedded_digits().train
        assert isinstance(train, ArrayImages)
        assert train.labels is not None
        home.mkdir(parents=True, exist_ok=True)
        few = np.arange(0, 3600, 4)
        np.savez(images, images=train.images[few], labels=train.labels.numpy()[few])
    places = [f"sweep_dir={home}/sweep", f"run_dir={home}/run", f"pretrained_dir={home}/pretrained"]
    data = [] if any(override.startswith("data=") for override in overrides) else [f"data={images}"]
    return [*TINY, *data, *places, *overrides]


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Control and Q-Score run of one pretrained encoder; returns the folder that holds `sweep/` and `pretrained/`."""
    home = tmp_path_factory.mktemp("sweep")
    done = script("train", "-m", *tiny(home, "lambda=0,20", *LIGHT))
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a command in this process; returns exit status and what it said on stderr."""

    def run(name: str, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
        # Worker processes are left to tests that run a script: here they would be forked from the test session.
        alone = [] if any(a.startswith("resume=") for a in arguments) else ["num_workers=0"]
        quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none", *alone]
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments, *quiet])
        capsys.readouterr()
        status = 0
        try:
            run_command(TASKS[name], config_name=name)
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, capsys.readouterr().err

    return run
