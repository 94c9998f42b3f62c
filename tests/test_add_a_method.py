"""docs/how-to/add-a-method.md, done to the letter in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.application.conftest import tiny
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "add-a-method.md").read_text(encoding="utf-8")
NAME = "alignment_uniformity"
FOLDERS = ("qscore", "conf", "tests")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("repository")
    for folder in FOLDERS:
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("train.py", "evaluate.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / file, copy / file)
    blocks = re.findall(r"`([\w/]+\.(?:py|yaml))`[^`]*```(?:python|yaml)\n(.*?)```", PAGE, flags=re.S)
    assert [path for path, _ in blocks] == [
        f"qscore/methods/{NAME}.py",
        "qscore/methods/__init__.py",
        f"conf/method/{NAME}.yaml",
    ]
    for path, content in blocks:
        with (copy / path).open("a", encoding="utf-8") as file:
            file.write(content)
    return copy


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=copy, env=environment, check=False
    )


@pytest.mark.slow
def test_the_method_of_the_page_fulfils_the_contract(copied: Path) -> None:
    chosen = f"{NAME} or test_every_method or group_method or (composes and method)"
    done = run(copied, "-m", "pytest", "-q", "tests/methods/test_contract.py", "tests/test_configs.py", "-k", chosen)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 10, done.stdout  # type: ignore[index]


@pytest.mark.slow
def test_the_method_of_the_page_trains(copied: Path, tmp_path: Path) -> None:
    options = [option for option in tiny(tmp_path) if not option.startswith("experiment=")]
    small = [
        "encoder=resnet10",
        "encoder.stem=cifar",
        "logger=csv",
        "evaluation=none",
        "batch_size=128",
        "epsilon=auto",
    ]
    done = run(copied, "train.py", f"method={NAME}", *options, *small, "epochs=1", "lambda=10")
    assert done.returncode == 0, done.stderr
    metrics = (tmp_path / "run" / "metrics.csv").read_text()
    assert "q_score/term" in metrics
    assert "train/projection_std" in metrics
    assert NAME in (tmp_path / "run" / "run.json").read_text()
