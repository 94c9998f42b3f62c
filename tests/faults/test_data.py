"""Images that vanish or are cut short while they are trained on; a process that loads them dies; a loss that is NaN."""

import os
import re
import signal
from pathlib import Path

import pytest

from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages
from tests.application.conftest import TINY
from tests.faults.checks import broken_files
from tests.processes import Child

pytestmark = pytest.mark.slow
PATIENCE_S = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """160 digits in class folders."""
    train = embedded_digits().train
    assert isinstance(train, ArrayImages)
    assert train.labels is not None
    for position in range(0, 3600, 18):
        file = tmp_path / "images" / str(int(train.labels[position])) / f"{position}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        train.image(position).save(file)
    return tmp_path / "images"


def command(home: Path, images: Path, *options: str) -> list[str]:
    places = [f"data={images}", f"run_dir={home}/run", f"pretrained_dir={home}/pretrained", "logger=csv"]
    workers = ["num_workers=1", "data.views_on=workers", "batch_size=32", "evaluation=none"]
    return ["train", *TINY, *places, *workers, "data.image_size=28", *options]


@pytest.mark.parametrize("is_cut", [False, True], ids=["vanishes", "cut"])
def test_images_that_vanish_or_are_cut_while_they_are_trained_on_are_named(
    folder: Path, tmp_path: Path, is_cut: bool
) -> None:
    files = sorted(folder.rglob("*.png"))[::4]
    kept = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}
    with Child(command(tmp_path, folder, "pretrain_epochs=200"), tmp_path / "log.txt").start() as child:
        child.wait_until(lambda: list(tmp_path.glob("pretrained/*/checkpoints/last.ckpt")), PATIENCE_S)
        for file in files:
            file.write_bytes(kept[file][0][:60]) if is_cut else file.unlink()
        assert child.wait() == 2, child.said[-2000:]
    assert "Traceback" not in child.said
    assert any(str(file) in child.said for file in files)
    assert "repair or remove them" in child.said
    assert broken_files(tmp_path / "pretrained") == []
    for file, (content, changed) in kept.items():
        file.write_bytes(content)
        os.utime(file, ns=(changed, changed))
    before = (pretrained := next(tmp_path.glob("pretrained/*/checkpoints/last.ckpt"))).stat().st_mtime_ns
    with Child(["train", f"resume={tmp_path}/run"], tmp_path / "log2.txt").start() as resumed:
        resumed.wait_until(lambda: pretrained.stat().st_mtime_ns != before, PATIENCE_S)
    assert len(list((tmp_path / "pretrained").iterdir())) == 1  # the same pretraining went on


def test_a_dead_process_that_loads_images_is_told_and_the_run_goes_on(folder: Path, tmp_path: Path) -> None:
    options = ["pretrain_epochs=2", "epochs=60"]
    with Child(command(tmp_path, folder, *options), tmp_path / "log.txt").start() as child:
        child.wait_until((tmp_path / "run" / "checkpoints" / "last.ckpt").is_file, PATIENCE_S)
        pid = child.process.pid
        (worker, *_) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        assert child.wait() == 2, child.said[-2000:]
    assert "Traceback" not in child.said
    assert child.said.count("was ended from outside") == 1
    assert f"resume={tmp_path}/run" in child.said
    assert broken_files(tmp_path / "run") == []
    resumed = Child(["train", f"resume={tmp_path}/run"], tmp_path / "log2.txt").finish()
    assert resumed.process.exitcode == 0, resumed.said[-2000:]


def test_a_loss_that_is_not_finite_leaves_a_run_that_can_be_used(folder: Path, tmp_path: Path) -> None:
    rate = "++method.small.optimization.learning_rate=1e30"
    done = Child(command(tmp_path, folder, "pretrain_epochs=2", rate), tmp_path / "log.txt").finish()
    assert done.process.exitcode == 2, done.said[-2000:]
    assert re.search(r"Step \d: .* is not finite\. Likely causes, likeliest first: \(1\) the learning rate", done.said)
    assert "no checkpoint was written yet" in done.said
    assert "Traceback" not in done.said
    assert broken_files(tmp_path / "pretrained") == []


def test_a_training_starts_from_the_last_finite_state_of_another(folder: Path, tmp_path: Path) -> None:
    """As docs/how-to/watch.md advises."""
    short = ["pretrain_epochs=1", "epochs=1", "epsilon=auto"]
    assert Child(command(tmp_path, folder, *short), tmp_path / "log.txt").finish().process.exitcode == 0
    last = f"checkpoint={tmp_path}/run/checkpoints/last.ckpt"
    again = command(tmp_path, folder, *short, last, f"run_dir={tmp_path}/again")
    done = Child(again, tmp_path / "again.txt").finish()
    assert done.process.exitcode == 0, done.said[-2000:]
    assert '"status": "complete"' in (tmp_path / "again" / "run.json").read_text()
