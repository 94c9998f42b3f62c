"""Every row of the papers' tables has its experiment, with the settings that the version states."""

import re
import sys
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from qscore.report.published import AAAI_TABLE_2, V2_TABLE_1, load_published
from tests.conftest import REPOSITORY
from tests.test_configs import composed

FOLDER = REPOSITORY / "conf" / "experiment" / "paper"
VERSIONS = {"v2": V2_TABLE_1, "aaai": AAAI_TABLE_2}
ROWS = [
    (version, method, dataset)
    for version, name in VERSIONS.items()
    for dataset, methods in load_published(name).cells.items()
    for method in methods
]
BOTH = pytest.mark.parametrize(("version", "method", "dataset"), ROWS)


def experiment(version: str, method: str, dataset: str, *overrides: str) -> DictConfig:
    cfg = composed(f"experiment=paper/{version}_{method}_{dataset}", *overrides)
    del cfg.run_dir, cfg.sweep_dir  # these ask for the time, which Hydra knows only in a job
    return cfg


def test_every_published_cell_has_its_experiment_and_no_other_is_there() -> None:
    assert len(ROWS) == 4 * 4 + 8 * 2
    assert {path.stem for path in FOLDER.glob("[!_]*.yaml")} == {"_".join(row) for row in ROWS}


@BOTH
def test_settings_are_those_of_the_version(version: str, method: str, dataset: str) -> None:
    cfg = experiment(version, method, dataset)
    OmegaConf.to_container(cfg, resolve=True)
    assert (cfg.method.name, cfg.data.name) == (method, dataset)
    assert cfg.encoder.architecture == ("resnet50" if dataset == "imagenet" else "resnet18")
    stated = load_published(VERSIONS[version]).settings
    assert {name: cfg[name] for name in stated} == stated
    regularizer, recipe = instantiate(cfg.regularizer, _convert_="all"), cfg.method[cfg.data.scale]
    assert regularizer.weight == stated["lambda"]
    if version == "v2":
        original = composed(f"method={method}", f"data={dataset}").method[cfg.data.scale]
        assert recipe.optimization == original.optimization
        assert regularizer.column_weight is None
        return
    assert regularizer.column_weight == 1e-4
    assert cfg.alpha == "batch_mean"
    optimization = instantiate(recipe.optimization)
    assert optimization.optimizer.func.__name__ == "LARS"
    assert optimization.learning_rate * optimization.batch_size / 256 == pytest.approx(1e-5)
    assert optimization.warmup_epochs > 0
    assert optimization.final_learning_rate == 0


@BOTH
def test_the_comment_has_the_command_and_the_published_numbers(version: str, method: str, dataset: str) -> None:
    text = (FOLDER / f"{version}_{method}_{dataset}.yaml").read_text(encoding="utf-8")
    assert f"python train.py -m experiment=paper/{version}_{method}_{dataset} " in text
    assert "# cost: " in text
    cells = load_published(VERSIONS[version]).cells[dataset][method]
    numbers = re.search(r"# published: baseline ([\d.]+), Q-Score ([\d.]+);", text)
    assert numbers
    assert [float(number) for number in numbers.groups()] == [cells["baseline"], cells["Q-Score"]]


def test_lambda_0_is_a_control_in_both_terms() -> None:
    cfg = experiment("aaai", "byol", "imagenet", "lambda=0")
    assert (cfg.regularizer.weight, cfg.regularizer.column_weight) == (0, 0)


def test_the_final_version_never_pretrains_at_its_learning_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from qscore.application.command_line import run_command
    from qscore.application.entry_points import train_task

    options = ["data=embedded", "num_workers=0", "logger=none", f"run_dir={tmp_path}/run"]
    options += [f"pretrained_dir={tmp_path}/pretrained", "hydra/job_logging=none", "hydra/hydra_logging=none"]
    monkeypatch.setattr(sys, "argv", ["train.py", "experiment=paper/aaai_simclr_imagenet100", *options])
    with pytest.raises(SystemExit):
        run_command(train_task, config_name="train")
    assert "checkpoint=PATH" in capsys.readouterr().err
    assert not (tmp_path / "pretrained").exists()
