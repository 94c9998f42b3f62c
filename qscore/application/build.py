"""Configuration in, objects out."""

import os
import warnings
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from lightning_fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import Logger

from qscore.application.progress import ProgressBar
from qscore.application.run_directory import RunDirectory
from qscore.application.strategies import check_strategy
from qscore.application.whole_files import WholeCheckpoints
from qscore.data import ImageDataModule
from qscore.encoders import Encoder
from qscore.errors import UserError
from qscore.methods import SSLMethod
from qscore.methods.batch_norm import BatchNormSync
from qscore.score import extraction_trainer
from qscore.watch import CollapseWatch


def recipe(cfg: DictConfig) -> DictConfig:
    """Returns the part of the method's configuration that goes with the size of the images."""
    chosen: DictConfig = cfg.method[cfg.data.scale]
    return chosen


def build_data(cfg: DictConfig, *, with_views: bool = True) -> ImageDataModule:
    """Returns the data module of `cfg.data`; with the views of `cfg.method` where something is to be trained."""
    return ImageDataModule(
        instantiate(cfg.data.source),
        instantiate(recipe(cfg).views) if with_views else None,
        image_size=cfg.data.image_size,
        batch_size=cfg.batch_size,
        crop_fraction=cfg.data.crop_fraction,
        num_workers=min(cfg.num_workers, os.cpu_count() or 1),
        seed=cfg.seed,
        views_on=cfg.data.get("views_on", "workers"),
        hue=cfg.data.get("hue", "hsv"),
        device_budget_gb=cfg.get("device_budget_gb", 8.0),
    )


def build_encoder(cfg: DictConfig) -> Encoder:
    """Returns an untrained encoder."""
    encoder: Encoder = instantiate(cfg.encoder, _convert_="all")
    return encoder


def load_options(cfg: DictConfig) -> dict[str, Any]:
    """Returns the options of `load_encoder` that `cfg.checkpoint` names.

    Its normalization "data" is that of the images at hand.
    """
    options: dict[str, Any] = plain(cfg.checkpoint)
    del options["path"]
    if options["normalization"] == "data":
        options["normalization"] = [list(cfg.data.mean), list(cfg.data.std)]
    return options


def build_method(cfg: DictConfig, encoder: Encoder) -> SSLMethod:
    """Returns the SSL method around an encoder, with new heads."""
    chosen = recipe(cfg)
    method: SSLMethod = instantiate(chosen.module)(encoder, instantiate(chosen.optimization))
    return method


def build_watch(cfg: DictConfig) -> list[CollapseWatch]:
    """Returns what notices collapse and divergence in any training, unless `watch=none`."""
    watch = cfg.get("watch")  # runs from before there was one have no such entry
    return [instantiate(watch)] if watch else []


def build_callbacks(cfg: DictConfig) -> list[pl.Callback]:
    """Returns what fine-tuning adds to training: the guard, unless `guard=none`, and the regularizer.

    The guard comes first: it says that an encoder is lost before the regularizer's statistics of it fail.
    """
    guard = cfg.get("guard")  # runs from before there was one have no such entry
    chosen = [guard, cfg.regularizer] if guard else [cfg.regularizer]
    return [instantiate(callback, _convert_="all") for callback in chosen]


def build_trainer(
    cfg: DictConfig,
    run: RunDirectory,
    *,
    epochs: int,
    num_batches: int,
    loggers: list[Logger],
    callbacks: list[pl.Callback],
) -> pl.Trainer:
    """Returns a trainer that leaves its whole state in `checkpoints/last.ckpt` after every epoch."""
    checkpoint = ModelCheckpoint(run.path / "checkpoints", "last", enable_version_counter=False)
    watchers: list[pl.Callback] = [LearningRateMonitor("step")] if loggers else []
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")  # we resume from it
    chosen = instantiate(cfg.trainer)
    logged = cfg.trainer.log_every_n_steps
    if not isinstance(logged, int) or isinstance(logged, bool):
        raise UserError(f"Expected trainer.log_every_n_steps as a whole number, got {logged!r:.80}.")
    every = max(1, min(logged, num_batches))
    check_strategy(chosen.keywords.get("strategy"), has_gpu=inference_device(cfg).type == "cuda")
    norms = [BatchNormSync()] if chosen.keywords.get("sync_batchnorm") else []
    try:
        trainer: pl.Trainer = chosen(
            log_every_n_steps=every,
            max_epochs=epochs,
            default_root_dir=run.path,
            logger=loggers,
            sync_batchnorm=False,  # Lightning's own plugin refuses CPUs
            plugins=[WholeCheckpoints(), *(chosen.keywords.get("plugins") or []), *norms],
            callbacks=[*callbacks, *watchers, checkpoint, ProgressBar(every)],
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise UserError(f"Expected settings of trainer that Lightning takes: {error}") from error
    if cfg.batch_size % trainer.world_size:
        raise UserError(
            f"Expected batch_size (over all devices) to be a multiple of {trainer.world_size} devices, "
            f"got {cfg.batch_size}."
        )
    return trainer


def build_extraction_trainer(cfg: DictConfig) -> pl.Trainer | None:
    """Returns a trainer that extracts representations on several devices; None where one is asked for."""
    options = plain(cfg.trainer)
    return None if options["devices"] in (1, "1") and options["num_nodes"] == 1 else extraction_trainer(**options)


def inference_device(cfg: DictConfig) -> torch.device:
    """Returns the device that representations are extracted on."""
    on_gpu = cfg.trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")


def plain(cfg: Any) -> Any:
    """Returns a configuration as resolved dictionaries and lists."""
    return OmegaConf.to_container(cfg, resolve=True)
