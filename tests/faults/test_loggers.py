"""W&B and TensorBoard that cannot be written or reached: said once, and the training goes on."""

from pathlib import Path

import pytest

from tests.application.conftest import tiny
from tests.processes import Child

SHORT = ["epochs=1", "evaluation=none", "num_workers=0"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tensorboard", "wandb"])
def test_a_logger_that_cannot_write_its_folder_is_gone_on_without(tmp_path: Path, kind: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / kind).write_text("a file where the logger's folder would be")
    command = ["train", *tiny(tmp_path / "home", *SHORT, f"logger={kind}", f"run_dir={tmp_path}/run")]
    environment = {"WANDB_MODE": "offline", "HOME": str(tmp_path)}
    done = Child(command, tmp_path / "log.txt", environment=environment).finish()
    assert done.process.exitcode == 0, done.said[-2000:]
    assert "train/loss" in (tmp_path / "run" / "metrics.csv").read_text()
    if kind == "tensorboard":  # W&B writes into the folder of temporary files by itself, and says so
        assert done.said.count("TensorBoard cannot be written") == 1
