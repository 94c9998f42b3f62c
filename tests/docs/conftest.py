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
from PIL import Image
from torchvision.models import resnet18

from qscore.data.catalogue import embedded_digits
from qscore.data.sources import ArrayImages
from qscore.encoders import recognition
from tests.docs.blocks import PYTHON, SHELL, Block, blocks_of
from tests.docs.commands import start

SWEEP = (
    "python train.py -m experiment=quickstart data=FOLDER data.image_size=28 encoder.width=0.125 pretrain_epochs=1 "
    "epochs=1 batch_size=64 lambda=0,10 evaluation=[linear_probe,knn] trainer.log_every_n_steps=1"
)
NAMING = (
    "python evaluate.py run=RUN_DIR evaluation=naming evaluation.naming.layer=layer3 evaluation.naming.num_images=6 "
    "evaluation.naming.num_groups=2",
    "python -m qscore.study new --naming RUN_DIR --out my-names",
    "python -m qscore.study simulate my-names --annotators same noise",
)


def _images(folder: Path) -> None:
    train = embedded_digits().train
    assert isinstance(train, ArrayImages)
    assert train.labels is not None
    for i in range(0, 3750, 10):
        file = folder / str(int(train.labels[i])) / f"{i:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(train.images[i]).save(file)


def _tables(home: Path) -> None:
    ids = [path.relative_to(home / "FOLDER").as_posix() for path in sorted((home / "FOLDER").rglob("*.png"))]
    words = "\n".join(f"{sample},{number % 2},{number % 3 == 0}" for number, sample in enumerate(ids))
    said = "\n".join(f'{sample},"A {["thin", "round"][number % 2]} {sample[0]}."' for number, sample in enumerate(ids))
    for name in ("words.csv", "concepts.csv", "FILE.csv"):
        (home / name).write_text(f"id,[stroke] thin,slanted\n{words}\n")
    (home / "said.csv").write_text(f"id,caption\n{said}\n")
    (home / "groups.csv").write_text("id,cluster\n" + "\n".join(f"{sample},{sample[0]}" for sample in ids))
    (home / "namings.csv").write_text("id,annotator,concept\n" + "\n".join(f"{sample},eva,thin" for sample in ids))
    (home / "people.csv").write_text((home / "namings.csv").read_text())
    (home / "my_models.py").write_text("def caption(images):\n    return [f'{i.width} px wide' for i in images]\n")
    (home / "policies.json").write_text("{}")


def _stamps(file: Path) -> None:
    """Squares of a colour each, in the form of the stamps of docs/how-to/tuxpaint-study.md."""
    draw, colours = np.random.default_rng(0), ["red", "green", "blue"]
    pixels = np.full((360, 64, 64, 3), 255, np.uint8)
    for number, image in enumerate(pixels):
        image[8:56, 8 : 20 + number % 36] = draw.integers(0, 60, 3) + 180 * np.eye(3, dtype=int)[number % 3]
    names = [f"{colours[number % 3]}/{number}.png" for number in range(360)]
    captions = [f"A {colours[number % 3]} thing, {number % 7} across." for number in range(360)]
    np.savez(file, X=pixels, caption=captions, category=[name.partition("/")[0] for name in names], fname=names)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, made once."""
    home = tmp_path_factory.mktemp("docs")
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        _images(home / "FOLDER")
        start(SWEEP, [], only_understand=False, patch=patch)
        _tables(home)
        _stamps(home / "tuxpaint64.npz")
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
