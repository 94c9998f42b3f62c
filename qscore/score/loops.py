"""Who runs an encoder over the images that have no representation yet: Lightning's predict loop, or a loop of ours."""

import signal
import warnings
from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.plugins.environments import LightningEnvironment  # type: ignore[attr-defined]
from pytorch_lightning.utilities.exceptions import SIGTERMException
from pytorch_lightning.utilities.seed import isolate_rng
from pytorch_lightning.utilities.warnings import PossibleUserWarning  # type: ignore[attr-defined]
from torch import Tensor, distributed, nn

from qscore.processes import num_processes, own_rank
from qscore.records import ImageBatch
from qscore.score.extract import DESCRIPTION, encode, evaluating, with_progress
from qscore.score.work import Work


class PredictLoop:
    """Lightning's predict loop, on every device of a trainer; a trainer of `extraction_trainer`.

    Each device takes every n-th batch: Lightning's own sampler takes every n-th image, and refuses fewer images than
    devices. No image is seen twice, and the batches, so the bits, are those of one device.

    Args:
        trainer: None for the device where the encoder is.
    """

    def __init__(self, trainer: pl.Trainer | None = None) -> None:
        self.trainer = trainer

    @property
    def rank(self) -> int:
        """Number of this process."""
        return self.trainer.global_rank if self.trainer else 0

    @property
    def num(self) -> int:
        """Number of processes that take part; the others of a training that is over do not."""
        return self.trainer.world_size if self.trainer else 1

    def device(self, encoder: nn.Module) -> torch.device:
        """Returns where the encoder will run in this process."""
        return self.trainer.strategy.root_device if self.trainer else next(encoder.parameters()).device

    def run(self, encoder: nn.Module, work: Work) -> None:
        """Encodes what is missing into shards."""
        if self.num == 1 and not work.missing():
            return  # several processes meet nevertheless
        device = next(encoder.parameters()).device
        with isolate_rng(), evaluating(encoder), warnings.catch_warnings():
            warnings.simplefilter("ignore", PossibleUserWarning)  # advice on workers and idle devices
            warnings.filterwarnings("ignore", "Total length of")  # where others have the rest
            warnings.filterwarnings("ignore", "`isinstance.treespec", FutureWarning)  # of torch, to Lightning
            trainer = self.trainer or _trainer_of(device)
            try:
                trainer.predict(_Prediction(encoder, work), return_predictions=False)
            finally:
                work.shards.flush()
                encoder.to(device)  # Lightning leaves it on the CPU


class OwnLoop:
    """A loop for the inside of a fit, where no trainer can run: each process of the fit takes its share."""

    @property
    def rank(self) -> int:
        """Number of this process."""
        return own_rank()

    @property
    def num(self) -> int:
        """Number of processes of the fit."""
        return num_processes()

    def device(self, encoder: nn.Module) -> torch.device:
        """Returns where the encoder runs in this process."""
        return next(encoder.parameters()).device

    def run(self, encoder: nn.Module, work: Work) -> None:
        """Encodes this process's share of what is missing into shards."""
        positions = work.share(own_rank(), num_processes())
        wait(self)  # nobody writes before everybody has seen what is missing
        with evaluating(encoder):
            try:
                for batch in with_progress(work.loader(positions)):
                    work.shards.add(encode(encoder, batch.images), batch.positions, batch.readable)
            finally:
                work.shards.flush()


Loop = PredictLoop | OwnLoop


def extraction_trainer(**options: Any) -> pl.Trainer:
    """Returns a trainer for `PredictLoop`, with `accelerator`, `devices`, `strategy` and the like of `pl.Trainer`."""
    return pl.Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        inference_mode=False,  # a cache in the encoder filled then could not be part of a gradient later
        callbacks=[_ExtractionBar()],
        **options,
    )


def wait(loop: Loop) -> None:
    """Waits until every process of a loop has come here; processes that have not met yet cannot."""
    if loop.num > 1 and num_processes() > 1:
        is_nccl = distributed.get_backend() == "nccl"
        distributed.barrier(device_ids=[torch.cuda.current_device()] if is_nccl else None)


def _trainer_of(device: torch.device) -> pl.Trainer:
    devices = [device.index or 0] if device.type == "cuda" else 1
    # Named, since the environment may still speak of the processes of a training that is over.
    return extraction_trainer(accelerator=device.type, devices=devices, plugins=[LightningEnvironment()])


class _Prediction(pl.LightningModule):
    allow_zero_length_dataloader_with_multiple_devices = True

    def __init__(self, encoder: nn.Module, work: Work) -> None:
        super().__init__()
        self.encoder, self._work = encoder, work

    def predict_dataloader(self) -> Iterable[ImageBatch]:
        # Lightning lets the processes meet after this and before anything is encoded: all see the same missing.
        return self._work.loader(self._work.share(self.trainer.global_rank, self.trainer.world_size))

    def predict_step(self, batch: ImageBatch) -> Tensor:
        if self.trainer.received_sigterm:  # which Lightning notes, and heeds in a fit alone
            raise SIGTERMException(128 + signal.SIGTERM)
        self._work.shards.add(encode(self.encoder, batch.images), batch.positions.cpu(), batch.readable.cpu())
        return batch.positions

    def on_predict_epoch_end(self) -> None:
        self._work.shards.flush()


class _ExtractionBar(TQDMProgressBar):
    @property
    def predict_description(self) -> str:
        return DESCRIPTION
