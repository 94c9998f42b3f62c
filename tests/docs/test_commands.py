"""What is wrong in a block is noticed, even where the block cannot run."""

from pathlib import Path

import pytest
from hydra.errors import HydraException

from qscore.errors import UserError
from tests.docs import blocks
from tests.docs.commands import start


@pytest.mark.parametrize(
    "line",
    [
        "python train.py lamda=1",
        "python train.py -m method=simclr,mocco",
        "python train.py launch=slurm hydra.launcher.partitions=gpu",
        "python train.py data=no-such-folder",
        "torchrun --nproc 8 train.py trainer=dpp",
        "qscore-evaluate run=RUN_DIR evaluation=kn",
        "python -m qscore.study new RUN_DIR --outt STUDY",
        "python -m qscore.report",
        "python -m qscore.nothing",
        "python docs/study/nothing.py",
        "make nothing",
        'pip install "qscore[nothing]"',
        "frobnicate RUN_DIR",
    ],
)
def test_a_command_that_nobody_could_run_is_no_command(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = (AssertionError, SystemExit, HydraException, UserError, FileNotFoundError)
    with pytest.raises(expected):
        start(line, [], only_understand=True, patch=monkeypatch)


@pytest.mark.parametrize(
    "line",
    [
        "python train.py -m launch=joblib lambda=0,0.1 seed=range(3)",
        "srun --kill-on-bad-exit=1 python train.py trainer=ddp trainer.devices=8  # a comment",
        "python -m qscore.report RUN_DIR... --out report",
    ],
)
def test_one_that_can_is(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start(line, [], only_understand=True, patch=monkeypatch)


def test_blocks_are_found_with_what_is_said_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: hours -->\n```sh\n$ make a \\\n    b\nprinted\n```\n\n"
        '1. list\n\n    ```python title="a.py"\n    x = 1\n    ```\n\n```rust\n```\n'
    )
    monkeypatch.setattr(blocks, "REPOSITORY", tmp_path)
    first, second, third = blocks.blocks_of(page)
    assert (first.how, first.what, first.commands, first.place) == ("not run", "hours", ["make a  b"], "page.md:2")
    assert (second.how, second.file, second.text) == ("run", "a.py", "x = 1\n")
    assert (third.language, blocks.fences(page)) == ("rust", 6)
