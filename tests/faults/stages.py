"""The stages of the work, each as a command on a folder that an undisturbed one has prepared."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages
from tests.application.conftest import TINY
from tests.faults.blows import disturbed, num_changes

NUM_IMAGES, BATCH = 240, 48
EPOCHS, PRETRAIN_EPOCHS = 3, 3
TRAINING = [
    *TINY,
    f"pretrain_epochs={PRETRAIN_EPOCHS}",
    f"epochs={EPOCHS}",
    f"batch_size={BATCH}",
    "num_workers=1",
    "data.views_on=workers",
    "lambda=20",
    "logger=csv",
    "trainer.deterministic=true",
]
LEFT_OUT = ("misclassification", "feature_selection", "heatmaps", "quality")  # they take long


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: Its name.
        needs: The stage whose outcome it starts from; None for the images alone.
        command: From a folder to the command.
        forgotten: What of the outcome it starts from is removed, so that this stage makes it.
    """

    name: str
    needs: str | None
    command: Callable[[Path], list[str]]
    forgotten: tuple[str, ...] = ()

    def again(self, home: Path) -> list[str]:
        """Returns the command that goes on after an interruption."""
        run = home / "run"
        return ["train", f"resume={run}"] if self.is_training and (run / "run.json").is_file() else self.command(home)

    @property
    def is_training(self) -> bool:
        return self.command(Path())[0] == "train"


def _train(*options: str) -> Callable[[Path], list[str]]:
    def command(home: Path) -> list[str]:
        places = [f"data={home}/digits.npz", f"run_dir={home}/run", f"pretrained_dir={home}/pretrained"]
        return ["train", *TRAINING, *places, "evaluation=none", *options]

    return command


def _evaluate(home: Path) -> list[str]:
    left_out = [f"~evaluation.{name}" for name in LEFT_OUT]
    return ["evaluate", f"run={home}/run", "evaluation=all", *left_out]


STAGES = {
    stage.name: stage
    for stage in (
        Stage("pretraining", None, _train("epochs=1")),
        Stage("mining", "pretraining", _train("epochs=1"), ("run", "pretrained/*/representations")),
        Stage("fine-tuning", "pretraining", _train(), ("run",)),
        Stage("extraction", "fine-tuning", lambda home: ["evaluate", f"run={home}/run", "evaluation=sparsity"]),
        Stage("evaluation", "extraction", _evaluate),
        Stage("report", "evaluation", lambda home: ["-m", "qscore.report", f"{home}/run", "--out", f"{home}/page"]),
    )
}


def images(home: Path) -> None:
    """Writes a few digits as an `.npz` file."""
    train = embedded_digits().train
    assert isinstance(train, ArrayImages)
    assert train.labels is not None
    home.mkdir(parents=True, exist_ok=True)
    few = np.arange(0, 3600, 3600 // NUM_IMAGES)
    np.savez(home / "digits.npz", images=train.images[few], labels=train.labels.numpy()[few])


def prepare(stage: Stage, home: Path, templates: Path) -> None:
    """Makes `home` what a stage starts from: the outcome of the one before, at the very paths of now."""
    shutil.rmtree(home, ignore_errors=True)
    if stage.needs is None:
        images(home)
    else:
        shutil.copytree(templates / stage.needs, home, symlinks=True)
        for pattern in stage.forgotten:
            for path in home.glob(pattern):
                shutil.rmtree(path)


def undisturbed(stage: Stage, home: Path, templates: Path) -> tuple[int, float]:
    """Runs a stage whole, keeps its outcome as a template, and returns its number of changes and its seconds."""
    prepare(stage, home, templates)
    child = disturbed(stage.command(home), home, templates / f"{stage.name}.log").finish()
    if child.process.exitcode != 0:
        raise RuntimeError(child.said[-3000:])
    shutil.rmtree(templates / stage.name, ignore_errors=True)
    shutil.copytree(home, templates / stage.name, symlinks=True)
    return num_changes(child), child.seconds
