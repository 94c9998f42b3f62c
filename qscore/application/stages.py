"""The stages of a run that train: pretraining, and fine-tuning from a baseline."""

import logging
import os
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger

from qscore.application.build import build_encoder, build_method, build_trainer, build_watch
from qscore.application.guard import guard_facts
from qscore.application.heads import start_heads
from qscore.application.launch import is_first_process
from qscore.application.loggers import open_loggers
from qscore.application.run_directory import CACHE, UNTRAINED, RunDirectory
from qscore.application.speed import Throughput, prepare_networks
from qscore.application.whole_files import LastMetrics
from qscore.data import ImageDataModule
from qscore.encoders import load_encoder, save_encoder
from qscore.methods import SSLMethod
from qscore.regularizer import QScoreRegularizer

log = logging.getLogger(__name__)


def pretrain(cfg: DictConfig, run: RunDirectory, data: ImageDataModule, settings: dict[str, Any]) -> None:
    """Trains an encoder from scratch by the configured method, or goes on where that was interrupted."""
    log.info("Pretraining in %s for %d epochs.", run.path, cfg.pretrain_epochs)
    run.begin("pretrain", settings)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    method = build_method(cfg, build_encoder(cfg))
    if is_first_process():
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
    steps_per_epoch = len(data.source("pretrain")) // cfg.batch_size
    parts, warmup = start_heads(cfg, run, baseline, method, steps_per_epoch=steps_per_epoch)
    held_still = warmup[0].num_steps if warmup else 0
    run.update(started_with=parts, head_warmup_steps=held_still)
    if held_still >= steps_per_epoch * cfg.epochs > 0:
        log.warning("The encoder is held still to the end: set epochs higher, or head_warmup_steps=0.")
    _share_cache(callbacks, baseline)
    _fit(cfg, run, method, data, epochs=cfg.epochs, loggers=loggers, callbacks=[*callbacks, *warmup])


def _share_cache(callbacks: list[pl.Callback], baseline: RunDirectory) -> None:
    """Lets features be mined from the representations that an evaluation of the baseline reads."""
    for callback in callbacks:
        if isinstance(callback, QScoreRegularizer) and os.access(baseline.path, os.W_OK):
            callback.cache = baseline.path / CACHE


def loggers_of(cfg: DictConfig, run: RunDirectory) -> AbstractContextManager[list[Logger]]:
    """Returns the loggers of a run that has begun, as a context that ends them; only the first process has any."""
    if not is_first_process():
        return nullcontext([])
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
    prepare_networks(cfg, method)
    method.encoder.check_image_size(cfg.data.image_size)
    num_batches = len(data.source("pretrain")) // cfg.batch_size
    throughput = Throughput(cfg.batch_size)
    watch = build_watch(cfg)  # before the guard: it says at which step an encoder was lost
    last = LastMetrics()
    watched = [throughput, *watch, *callbacks, last]  # first, so that an epoch ends before others look at it
    trainer = build_trainer(cfg, run, epochs=epochs, num_batches=num_batches, loggers=loggers, callbacks=watched)
    data.load_state_dict({"next_epoch": 0})  # a pretraining that was resumed in this process had begun later
    try:
        trainer.fit(method, datamodule=data, ckpt_path=run.last_checkpoint)
    finally:
        run.update(noticed=[notice for each in watch for notice in each.noticed] if watch else None)
    if trainer.is_global_zero:
        _keep(cfg, run, method, data, trainer, throughput, last.values, seconds=time.monotonic() - started)
    trainer.strategy.barrier()


def _keep(
    cfg: DictConfig,
    run: RunDirectory,
    method: SSLMethod,
    data: ImageDataModule,
    trainer: pl.Trainer,
    throughput: Throughput,
    final_metrics: dict[str, float],
    *,
    seconds: float,
) -> None:
    """Saves the trained encoder and closes the run."""
    save_encoder(method.encoder, run.path, method=cfg.method.name, data=cfg.data.name, image_size=cfg.data.image_size)
    run.complete(
        data_fingerprint=data.fingerprint("pretrain"),
        num_steps=trainer.global_step,
        guard=guard_facts(trainer),
        seconds=round(seconds, 1),
        images_per_second=throughput.images_per_second,
        peak_memory_gb=throughput.peak_memory_gb,
        num_devices=trainer.world_size,
        final_metrics=final_metrics,
    )
