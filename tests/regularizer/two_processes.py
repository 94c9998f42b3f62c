"""A stranger's module under DDP with the callback; run by `test_two_processes.py`, and by Lightning a second time."""

import sys
from pathlib import Path

import lightning.pytorch
import pytorch_lightning
import torch

from tests.regularizer.strangers import THRESHOLD, regularizer, stranger, train


def main(folder: Path) -> None:
    """Trains with plain images, then with none; each process leaves its weights and what it regularizes with."""
    found = {}
    for name, library, options in (
        ("given", pytorch_lightning, {}),
        ("views", lightning.pytorch, {"images": None}),
        ("gradient", pytorch_lightning, {"weight": 0.5, "weight_unit": "gradient", "threshold": THRESHOLD}),
    ):
        callback, module = regularizer(**{"threshold": "mined_mean", **options}), stranger(library)
        trainer = train(library, module, folder, callback, strategy="ddp", devices=2)
        found[name] = {"weights": module.state_dict(), "mined": vars(callback.mined), "rank": trainer.global_rank}
        found[name] |= {"norms": callback.weighing.norms, "weight": callback.weighing.weight}
    torch.save(found, folder / f"{trainer.global_rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
