"""A watched module under DDP; run by `test_two_processes.py`, and by Lightning a second time."""

import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from qscore import CollapseWatch
from qscore.errors import UserError
from tests.regularizer.strangers import loader, stranger, train

EPOCHS = 3
BROKEN_IMAGE, BROKEN_STEP = 5, 2  # the second process takes the odd images, two a step: 1 and 3, 5 and 7


def main(folder: Path) -> None:
    """Trains a healthy module, a collapsed one, and one that meets a broken image in one process alone."""
    found: dict[str, Any] = {}
    broken = loader(16, 2).dataset.tensors[0]  # type: ignore[attr-defined]
    for name in ("healthy", "collapsed", "broken"):
        module, watch, data = stranger(pl), CollapseWatch(encoder="backbone"), loader(16, 2)
        if name == "collapsed":
            module.backbone[0].weight.data.zero_()
        if name == "broken":
            data = _with_broken_image(data, broken)
        found[name] = {"said": None}
        try:
            trainer = train(pl, module, folder / name, watch, data=data, strategy="ddp", devices=2, max_epochs=EPOCHS)
            found["rank"] = trainer.global_rank
        except UserError as error:
            found[name]["said"] = str(error)
        found[name] |= {"noticed": watch.noticed, "signals": watch.signals and vars(watch.signals)}
    torch.save(found, folder / f"{found['rank']}.pt")


def _with_broken_image(data: DataLoader[Any], images: torch.Tensor) -> DataLoader[Any]:
    images[BROKEN_IMAGE] = float("nan")
    data.dataset.tensors = (images, data.dataset.tensors[1])  # type: ignore[attr-defined]
    return data


if __name__ == "__main__":
    main(Path(sys.argv[1]))
