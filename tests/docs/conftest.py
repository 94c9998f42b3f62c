"""A folder in which the commands of the pages find what they name: a small run as RUN_DIR, images as FOLDER..."""

import io
import shutil
from collections.abc import Collection, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from qscore.encoders import recognition
from tests.docs.blocks import PYTHON, SHELL, Block, blocks_of
from tests.docs.commands import start
from tests.docs.material import images, stamps, tables

SWEEP = (
    "python train.py -m experiment=quickstart data=FOLDER data.image_size=28 encoder.width=0.125 pretrain_epochs=1 "
    "epochs=1 batch_size=64 lambda=0,10 evaluation=[linear_probe,knn] trainer.log_every_n_steps=1"
)
NAMING = (
    "python evaluate.py run=RUN_DIR evaluation=naming evaluation.naming.layer=layer3 "
    "evaluation.naming.method=contrastive_excitation_backprop "
    "evaluation.naming.num_images=6 evaluation.naming.num_groups=2",
    "python -m qscore.study new --naming RUN_DIR --out my-names",
    "python -m qscore.study simulate my-names --annotators same noise",
)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, made once."""
    home = tmp_path_factory.mktemp("docs")
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        images(home / "FOLDER")
        start(SWEEP, [], only_understand=False, patch=patch)
        tables(home)
        stamps(home / "tuxpaint64.npz")
        network = {
            f"module.encoder_q.{name}": tensor for name, tensor in resnet18().state_dict().items() if "fc" not in name
        }
        torch.save({"state_dict": network, "epoch": 800, "arch": "resnet18"}, "moco_v2_800ep_pretrain.pth.tar")
        shutil.copy("moco_v2_800ep_pretrain.pth.tar", "FILE")
        np.savez("FILE.npz", images=np.zeros((40, 28, 28), np.uint8), labels=np.arange(40) % 4)
        shutil.copytree(next(home.glob("runs/quickstart/*lambda*10*")), "RUN_DIR")
        shutil.copytree("runs/quickstart", "runs/SWEEP")
        for command in NAMING:
            start(command, [], only_understand=False, patch=patch)
    return home


class Page:
    """What running a page leaves.

    Attributes:
        names: What its Python defined.
        folder: Where it ran.
    """

    def __init__(self, folder: Path) -> None:
        self.names: dict[str, Any] = {"__name__": "page"}
        self.folder = folder

    def run(self, block: Block, patch: pytest.MonkeyPatch) -> None:
        """Runs a block, or checks that it could be run."""
        only_understand = block.how == "not run"
        if block.language in PYTHON:
            self._python(block, only_understand)
        elif block.language in SHELL:
            options = block.what.split() if block.how == "run with" else []
            printed = io.StringIO()
            for command in block.commands:
                with redirect_stdout(printed):
                    start(command, options, only_understand=only_understand, patch=patch)
            if block.commands[0].endswith("--help"):  # all of the reference of commands
                assert f"$ {block.commands[0]}\n{printed.getvalue()}" == block.text, block.place

    def _python(self, block: Block, only_understand: bool) -> None:
        text = block.text
        for small in block.what.split("; ") if block.how == "run with" else []:
            lines = [line for line in text.splitlines() if line.startswith(f"{small.partition(' = ')[0]} = ")]
            assert len(lines) == 1, f"{block.place}: no line sets what stands in {small}"
            text = text.replace(lines[0], small)
        code = compile(text, block.place, "exec")
        if block.file:
            Path(block.file).write_text(text, encoding="utf-8")
        elif not only_understand:
            exec(code, self.names)


def play(page: Path, folder: Path, kinds: Collection[str]) -> Page:
    """Runs the blocks of a page, from the first to the last, in a folder."""
    played = Page(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setattr(recognition, "LAYOUTS", recognition.LAYOUTS)
        torch.manual_seed(0)
        for block in blocks_of(page):
            if block.how != "run in" and block.language in kinds:
                try:
                    played.run(block, patch)
                except Exception as error:
                    error.add_note(f"in the block at {block.place}")
                    raise
    return played


@pytest.fixture(autouse=True, scope="session")
def _width() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "100")
        yield
