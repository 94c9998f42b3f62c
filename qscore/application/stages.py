"""The stages of a run: a pretrained baseline, fine-tuning from it, and the evaluation of both."""

import contextlib
import logging
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from filelock import FileLock
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger

from qscore.application.build import build_encoder, build_method, build_trainer, load_method_state, plain
from qscore.application.guard import guard_facts
from qscore.application.loggers import open_loggers
from qscore.application.run_directory import UNTRAINED, RunDirectory, finished_run, is_first_process
from qscore.data import ImageDataModule
from qscore.encoders import Encoder, load_encoder, save_encoder
from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import fingerprint
from qscore.methods import SSLMethod

log = logging.getLogger(__name__)


def baseline_run(cfg: DictConfig, run: RunDirectory, data: ImageDataModule) -> RunDirectory:
    """Returns the run to fine-tune from: the one named by `checkpoint`, or one that is pretrained now.

    A pretraining is kept under a name made from its settings, so that all runs of a sweep share one; concurrent
    runs wait for the first.

    Raises:
        UserFileNotFoundError: If `checkpoint` names nothing.
    """
    known = run.baseline
    if known is not None and known.is_complete:
        return known
    if cfg.checkpoint is not None:
        return _given_baseline(Path(cfg.checkpoint), cfg, data)
    settings = _pretrain_settings(cfg)
    identity = fingerprint(str(settings), data.fingerprint("pretrain"))[:8]
    name = f"{cfg.method.name}-{cfg.encoder.architecture}-{cfg.data.name}-{identity}"
    origin = RunDirectory(Path(cfg.pretrained_dir) / name)
    origin.path.mkdir(parents=True, exist_ok=True)
    # The other processes of a run on several devices are started while the first one holds the lock.
    with FileLock(origin.path / ".lock") if is_first_process() else contextlib.nullcontext():
        if origin.is_complete:
            log.info("Starting from the pretrained encoder in %s.", origin.path)
        else:
            pretrain(cfg, origin, data, settings)
    return origin


def pretrain(cfg: DictConfig, run: RunDirectory, data: ImageDataModule, settings: dict[str, Any]) -> None:
    """Trains an encoder from scratch by the configured method, or goes on where that was interrupted."""
    log.info("Pretraining in %s for %d epochs.", run.path, cfg.pretrain_epochs)
    run.begin("pretrain", settings)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    method = build_method(cfg, build_encoder(cfg))
    save_encoder(method.encoder, run.path / UNTRAINED)
    with loggers_of(cfg, run) as loggers:
        _fit(cfg, run, method, data, epochs=cfg.pretrain_epochs, loggers=loggers, callbacks=[])


def fine_tune(
    cfg: DictConfig,
    run: RunDirectory,
    baseline: RunDirectory,
    data: ImageDataModule,
    callbacks: list[pl.Callback],
    loggers: list[Logger],
) -> None:
    """Trains the baseline's encoder further, with the regularizer; with lambda = 0 it is the control."""
    log.info("Fine-tuning in %s for %d epochs, lambda %g.", run.path, cfg.epochs, cfg["lambda"])
    run.update(baseline=run.relative(baseline.path))
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    method = build_method(cfg, load_encoder(baseline.path).train())
    same_method = baseline.facts["config"].get("method", {}).get("name") == cfg.method.name
    if baseline.last_checkpoint is not None and same_method:
        load_method_state(method, baseline.last_checkpoint)
    else:
        log.warning("The checkpoint carries no heads for %s: they start untrained.", cfg.method.name)
    _fit(cfg, run, method, data, epochs=cfg.epochs, loggers=loggers, callbacks=callbacks)


def loggers_of(cfg: DictConfig, run: RunDirectory) -> AbstractContextManager[list[Logger]]:
    """Returns the loggers of a run that has begun, as a context that ends them."""
    return open_loggers(run, cfg.logger.kind, project=cfg.logger.project, config=run.facts["config"])


def _fit(
    cfg: DictConfig,
    run: RunDirectory,
    method: SSLMethod,
    data: ImageDataModule,
    *,
    epochs: int,
    loggers: list[Logger],
    callbacks: list[pl.Callback],
) -> None:
    started = time.monotonic()
    num_batches = len(data.source("pretrain")) // cfg.batch_size
    trainer = build_trainer(cfg, run, epochs=epochs, num_batches=num_batches, loggers=loggers, callbacks=callbacks)
    trainer.fit(method, datamodule=data, ckpt_path=run.last_checkpoint)
    if trainer.is_global_zero:
        _keep(cfg, run, method, data, trainer, seconds=time.monotonic() - started)
    trainer.strategy.barrier()
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()  # what follows is the first process's alone


def _keep(
    cfg: DictConfig, run: RunDirectory, method: SSLMethod, data: ImageDataModule, trainer: pl.Trainer, *, seconds: float
) -> None:
    """Saves the trained encoder and closes the run."""
    save_encoder(method.encoder, run.path, method=cfg.method.name, data=cfg.data.name, image_size=cfg.data.image_size)
    run.complete(
        data_fingerprint=data.fingerprint("pretrain"),
        num_steps=trainer.global_step,
        guard=guard_facts(trainer),
        seconds=round(seconds, 1),
        final_metrics={name: float(value) for name, value in trainer.callback_metrics.items()},
    )


def _pretrain_settings(cfg: DictConfig) -> dict[str, Any]:
    """What decides the pretrained weights, under the names that `RunDirectory.begin` compares."""
    return {
        "data": plain(cfg.data),
        "encoder": plain(cfg.encoder),
        "method": {"name": cfg.method.name, cfg.data.scale: plain(cfg.method[cfg.data.scale])},
        "seed": cfg.seed,
        "epochs": cfg.pretrain_epochs,
        "batch_size": cfg.batch_size,
        "precision": str(cfg.trainer.precision),
    }


def _given_baseline(source: Path, cfg: DictConfig, data: ImageDataModule) -> RunDirectory:
    if source.is_dir():
        run = finished_run(source)
        _check_architecture(cfg, load_encoder(run.path), source)
        return run
    if not source.is_file():
        raise UserFileNotFoundError(f"Expected checkpoint to be a run directory or a file, found nothing at {source}.")
    encoder = load_encoder(source)
    _check_architecture(cfg, encoder, source)
    run = RunDirectory(Path(cfg.pretrained_dir) / f"imported-{encoder.fingerprint()}")
    if not run.is_complete:
        run.begin("imported", {"checkpoint": str(source), "data": plain(cfg.data), "encoder": encoder.settings})
        save_encoder(encoder, run.path)
        run.complete(data_fingerprint=data.fingerprint("pretrain"), num_steps=0, seconds=0.0, final_metrics={})
    return run


def _check_architecture(cfg: DictConfig, encoder: Encoder, source: Path) -> None:
    """A checkpoint decides the encoder; asking for another one by name is a mistake, not a wish to be ignored."""
    asked = [override for override in HydraConfig.get().overrides.task if override.startswith(("encoder=", "encoder."))]
    expected = build_encoder(cfg).feature_dim if asked else encoder.feature_dim
    if asked and (cfg.encoder.architecture != encoder.settings["architecture"] or expected != encoder.feature_dim):
        raise UserError(
            f"Expected the encoder of {source}, a {encoder.settings['architecture']} of {encoder.feature_dim} "
            f"features, got {' '.join(asked)} ({expected} features). Leave the override out: the checkpoint decides."
        )
