"""The wheel is the package: it holds every file, and its commands run where there is no clone."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email import message_from_string
from pathlib import Path

import pytest

import qscore
from qscore.files import read_json, write_json
from tests.application.conftest import LIGHT, tiny
from tests.application.test_startup import WATCHED
from tests.conftest import REPOSITORY

TWO_PROCESSES = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"]
Installed = Callable[..., subprocess.CompletedProcess[str]]


def files(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.splitlines())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (file,) = built.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", folder, wheel]
    subprocess.run(command, capture_output=True, check=True)
    return folder


@pytest.fixture
def installed(site: Path, tmp_path: Path) -> Installed:
    """Runs Python in an empty folder, with the wheel's package in place of the clone's."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(site), "PATH": f"{site / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_wheel_holds_every_file_of_the_package_and_the_configurations(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {*files("qscore"), *(f"qscore/{name}" for name in files("conf"))}
    assert names == expected
    assert "qscore/py.typed" in names


def test_the_source_distribution_is_the_repository(built: Path) -> None:
    (file,) = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert names == files() | {"PKG-INFO"}


def test_version_and_licence_of_the_wheel_are_those_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        home = f"qscore-{qscore.__version__}.dist-info"
        metadata = message_from_string(archive.read(f"{home}/METADATA").decode())
        assert archive.read(f"{home}/licenses/LICENSE") == (REPOSITORY / "LICENSE").read_bytes()
    assert (metadata["Version"], metadata["License-Expression"]) == (qscore.__version__, "MIT")


@pytest.mark.parametrize("name", ["qscore-train", "qscore-evaluate"])
def test_help_of_an_installed_command_loads_no_torch(name: str, site: Path, installed: Installed) -> None:
    done = installed("-c", WATCHED.format(heavy=("torch",), arguments=[str(site / "bin" / name), "--help"]))
    assert "LOADED []" in done.stderr
    assert "v2_simclr_cifar10" in done.stdout
    script = (REPOSITORY / f"{name.removeprefix('qscore-')}.py").read_text(encoding="utf-8")
    calls = re.findall(r"^python \w+\.py +(.+)$", script, flags=re.M)
    assert len(calls) > 4
    assert all(call in done.stdout for call in calls), "what the docstring of the script shows"


def test_messages_of_an_installed_command_name_it(site: Path, installed: Installed, tmp_path: Path) -> None:
    done = installed(site / "bin" / "qscore-train", "lamda=1")
    assert done.returncode == 2
    assert done.stderr.startswith("qscore-train: unknown option 'lamda'. Did you mean lambda")
    assert done.stderr.endswith("All options: qscore-train --cfg job\n")
    write_json(tmp_path / "run.json", {"status": "complete"})
    done = installed("-m", "qscore.report", ".")
    assert done.stderr.endswith("run: qscore-evaluate run=RUN_DIR\n")


@pytest.mark.slow
def test_train_on_two_processes_evaluate_and_report_away_from_the_clone(
    site: Path, installed: Installed, tmp_path: Path
) -> None:
    asked = [option for option in tiny(tmp_path, "lambda=20", "evaluation=knn") if "num_workers" not in option]
    done = installed(site / "bin" / "qscore-train", *asked, "num_workers=0", *TWO_PROCESSES)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "run"
    facts = read_json(run / "run.json")
    assert (facts["status"], facts["git_commit"]) == ("complete", None)
    done = installed(site / "bin" / "qscore-train", f"resume={run}")
    assert done.returncode == 0, done.stderr
    done = installed(site / "bin" / "qscore-evaluate", f"run={run}", "num_workers=0", *LIGHT)
    assert done.returncode == 0, done.stderr
    assert (run / "results" / "linear_probe.json").is_file()
    done = installed("-m", "qscore.report", "run", "--out", "page")
    assert done.returncode == 0, done.stderr
    assert "<h" in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
