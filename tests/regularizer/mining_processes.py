"""What a process mines alone or as one of several; run by `test_mining_processes.py`, once for each."""

import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, TensorDataset

from qscore.data import ImageDataModule, Splits
from qscore.data.sources import FileImages
from qscore.encoders import Encoder
from qscore.regularizer.mining import Miner
from qscore.regularizer.seen import seen_by

SIZE_PX, NUM_GIVEN = 16, 25


def photographs(folder: Path) -> ImageDataModule:
    paths = sorted(folder.glob("*.png"))
    source = FileImages(folder, paths, None, ())
    return ImageDataModule(Splits(source, source, source), image_size=SIZE_PX, batch_size=32, num_workers=0)


def given(kind: str) -> DataLoader[Any]:
    images = TensorDataset(torch.rand(NUM_GIVEN, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(0)))
    several = torch.distributed.is_initialized()
    sampler = {
        "in order": None,
        "at random": RandomSampler(images),
        "distributed": DistributedSampler(images) if several else None,
    }[kind]
    return DataLoader(images, sampler=sampler, batch_size=4)


def mined(folder: Path) -> dict[str, Any]:
    """Returns what was mined from files, without and with a cache, and from loaders of somebody else."""
    torch.manual_seed(0)
    encoder = Encoder("resnet10", stem="cifar", width=0.0625)
    torch.manual_seed(torch.distributed.get_rank() if torch.distributed.is_initialized() else 0)
    trainer = SimpleNamespace(datamodule=photographs(folder / "images"), global_step=0)
    encoded: list[int] = []
    encoder.register_forward_hook(lambda _, args, __: encoded.append(len(args[0])))
    found: dict[str, Any] = {}
    for name, images, cache in (
        ("files", None, None),
        ("cache", None, folder / "cache"),
        *((kind, given(kind), None) for kind in ("in order", "at random", "distributed")),
    ):
        encoded.clear()
        result = Miner("auto", {"quantile": 0.25}).mine(seen_by(encoder, trainer, images, cache=cache))
        found[name] = {**asdict(result), "num_encoded": sum(encoded)}
    return found


def main(folder: Path, rank: int, num: int) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=num)
    torch.save(mined(folder), folder / f"{rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
