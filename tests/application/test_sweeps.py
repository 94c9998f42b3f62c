"""Sweeps on other launchers, and searches: the runs are those of a plain sweep, one directory each."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper

from qscore.application.sweeps import OBJECTIVES
from qscore.files import read_json
from qscore.report.__main__ import main as report
from tests.application.conftest import NUM_STEPS_PER_EPOCH, tiny
from tests.application.test_mistakes import assert_clear
from tests.conftest import REPOSITORY
from tests.processes import typed
from tests.test_configs import composed, names

Command = Callable[..., tuple[int, str]]
ONE_PROBE = ["epochs=1", "evaluation=linear_probe", "num_workers=0"]
INSTALLED = {plugin.__name__ for kind in (Launcher, Sweeper) for plugin in Plugins.instance().discover(kind)}


def needs(plugin: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(plugin not in INSTALLED, reason=f"{plugin} is not installed")


def run_dirs(sweep: Path) -> list[Path]:
    return sorted(path for path in sweep.iterdir() if path.is_dir() and not path.name.startswith("."))


def status(run: Path) -> object:
    return read_json(run / "run.json")["status"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep of three jobs, two at once, one of which fails; no baseline was there before."""
    if "JoblibLauncher" not in INSTALLED:
        pytest.skip("JoblibLauncher is not installed")
    home = tmp_path_factory.mktemp("joblib")
    done = typed("train", "-m", *tiny(home, *ONE_PROBE, "launch=joblib", "lambda=0,20,-1"))
    assert done.returncode == 2, done.stderr
    assert (done.stdout + done.stderr).count("Pretraining in") == 1
    (home / "said").write_text(done.stderr)
    return home


def test_runs_at_once_share_one_pretraining_and_one_evaluation_of_it(home: Path) -> None:
    (pretrained,) = (home / "pretrained").iterdir()
    control, regularized, _ = run_dirs(home / "sweep")
    assert [status(run) for run in (pretrained, control, regularized)] == ["complete"] * 3
    assert read_json(control / "run.json")["origins"] == read_json(regularized / "run.json")["origins"]
    logs = "".join((run / "train.log").read_text() for run in (control, regularized))
    assert logs.count("Pretraining in") == 1
    assert logs.count(f"Evaluating: {pretrained}") == 2  # the baseline, and the network before any training


def test_a_failed_run_is_named_and_the_others_go_on(home: Path) -> None:
    failed = run_dirs(home / "sweep")[-1]
    said = (home / "said").read_text()
    assert f"{failed}: Expected weights (lambda) of at least 0" in said
    assert "train.py: 1 of the runs failed" in said
    assert "Traceback" not in said
    assert [run for run in run_dirs(home / "sweep") if (run / "failed.json").exists()] == [failed]


def test_the_report_reads_the_folder_of_such_a_sweep(home: Path, tmp_path: Path) -> None:
    assert report([str(home / "sweep"), "--out", str(tmp_path)]) == 0
    table = (tmp_path / "comparison.csv").read_text()
    assert all(f"\n{encoder}," in table for encoder in ("untrained", "baseline", "control", "Q-Score λ=20"))


@needs("OptunaSweeper")
def test_a_search_finds_the_trial_with_the_best_validation_accuracy_and_survives_a_failure(home: Path) -> None:
    space = ["hydra.sweeper.params.lambda='20,-1,0'", "hydra.sweeper.n_trials=3", "hydra.sweeper.sampler.seed=1"]
    asked = [*ONE_PROBE, "search=optuna", *space, f"hydra.sweeper.storage='sqlite:///{home}/search.db'"]
    done = typed("train", "-m", *tiny(home, *asked, f"sweep_dir={home}/search"))
    assert done.returncode == 2, done.stderr
    runs = [run for run in run_dirs(home / "search") if not (run / "failed.json").exists()]
    assert len(runs) == 2
    found = {
        read_json(run / "run.json")["config"]["lambda"]: read_json(run / "results" / "linear_probe.json")["metrics"]
        for run in runs
    }
    best = yaml.safe_load((home / "search" / "optimization_results.yaml").read_text())
    values = {weight: metrics["validation_top1"] for weight, metrics in found.items()}
    assert best["best_value"] == max(values.values()) == values[best["best_params"]["lambda"]]


@pytest.mark.slow
@needs("LocalLauncher")
def test_a_preempted_job_goes_on_where_it_was(home: Path) -> None:
    num_epochs = 5
    sweep = home / "submitit"
    asked = tiny(home, *ONE_PROBE, "launch=submitit", "lambda=20", f"epochs={num_epochs}", f"sweep_dir={sweep}")
    command = [sys.executable, str(REPOSITORY / "train.py"), "-m", *asked]
    sweeping = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(sweep.glob("*/checkpoints/last.ckpt")):
        assert sweeping.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (controller,) = (int(path.name) for path in (sweep / ".submitit").iterdir() if path.name.isdigit())
    (task,) = Path(f"/proc/{controller}/task/{controller}/children").read_text().split()
    os.kill(int(task), signal.SIGUSR2)
    assert sweeping.wait(timeout=300) == 0
    (run,) = run_dirs(sweep)
    assert (run / "metrics.1.csv").exists(), "it was not interrupted"
    facts = read_json(run / "run.json")
    assert (facts["status"], facts["num_steps"]) == ("complete", num_epochs * NUM_STEPS_PER_EPOCH)


@needs("RayLauncher")
@pytest.mark.slow
def test_ray_runs_a_sweep(home: Path) -> None:
    asked = [*ONE_PROBE, "launch=ray", "hydra.launcher.ray.remote={num_cpus: 1}", "lambda=0", f"sweep_dir={home}/ray"]
    done = typed("train", "-m", *tiny(home, *asked))
    assert done.returncode == 0, done.stderr
    assert [status(run) for run in run_dirs(home / "ray")] == ["complete"]


@pytest.mark.parametrize("group", ["launch", "search"])
def test_every_launcher_and_search_composes_or_says_what_to_install(
    group: str, tmp_path: Path, command: Command
) -> None:
    plugins = {
        "joblib": "JoblibLauncher",
        "submitit": "LocalLauncher",
        "slurm": "SlurmLauncher",
        "ray": "RayLauncher",
        "optuna": "OptunaSweeper",
    }
    for name in names(group):
        if plugins[name] in INSTALLED:
            assert composed(f"{group}={name}").epochs > 0
        else:
            assert_clear(*command("train", "-m", f"{group}={name}", "lambda=0"), "pip install")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["objective=linear_probe/top1"], ["held-out", *OBJECTIVES]),
        (["objective=guard/knn_top1", "guard=none"], ["guard=none"]),
        (["objective=linear_probe/validation_top1", "evaluation=knn"], ["evaluation=linear_probe"]),
    ],
)
def test_an_objective_that_is_dishonest_or_not_measured_is_refused_before_training(
    arguments: list[str], said: list[str], tmp_path: Path, command: Command
) -> None:
    assert_clear(*command("train", *tiny(tmp_path, *arguments)), *said)
    assert not (tmp_path / "pretrained").exists()


@needs("JoblibLauncher")
def test_a_launcher_without_a_sweep_is_a_mistake(tmp_path: Path, command: Command) -> None:
    assert_clear(*command("train", *tiny(tmp_path, "launch=joblib")), "Expected -m beside launch=joblib")


def test_objectives_are_numbers_that_a_run_leaves(sweep: Path) -> None:
    run = run_dirs(sweep / "sweep")[0]
    left = {
        "guard": json.loads((run / "guard.json").read_text())["curve"][-1],
        "linear_probe": read_json(run / "results" / "linear_probe.json")["metrics"],
    }
    for source, metric in (name.split("/") for name in OBJECTIVES):
        assert isinstance(left[source][metric], float)
