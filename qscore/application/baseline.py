"""The run to fine-tune from: pretrained now, or given as a checkpoint."""

import logging
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from qscore.application.build import build_encoder, load_options, plain
from qscore.application.launch import is_first_process, wait_for_first_process
from qscore.application.run_directory import FACTS, RunDirectory, alone_in, finished_run
from qscore.application.stages import pretrain
from qscore.data import ImageDataModule
from qscore.encoders import Encoder, LoadOptions, load_encoder, open_checkpoint, save_encoder
from qscore.encoders.loading import own_weights
from qscore.errors import UserError
from qscore.files import fingerprint, sha256

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
    if cfg.checkpoint.path is not None:
        return _given_baseline(Path(cfg.checkpoint.path), cfg, data)
    settings = _pretrain_settings(cfg)
    identity = fingerprint(str(settings), data.fingerprint("pretrain"))[:8]
    name = f"{cfg.method.name}-{Path(cfg.encoder.architecture).name}-{cfg.data.name}-{identity}"
    origin = RunDirectory(Path(cfg.pretrained_dir) / name)
    with alone_in(origin.path):
        if origin.is_complete:
            log.info("Starting from the pretrained encoder in %s.", origin.path)
        else:
            pretrain(cfg, origin, data, settings)
    return origin


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
    options = load_options(cfg)
    if source.is_dir() and (source / FACTS).is_file():
        run = finished_run(source)
        _check_architecture(cfg, load_encoder(run.path, **options), source)
        return run
    pl.seed_everything(cfg.seed, verbose=False)  # of what a partial checkpoint leaves untrained
    encoder = load_encoder(source, **options)
    _check_architecture(cfg, encoder, source)
    run = RunDirectory(Path(cfg.pretrained_dir) / f"imported-{encoder.fingerprint()}")
    with alone_in(run.path):
        if not run.is_complete and is_first_process():
            origin = {"path": str(source), **_provenance(source, options)}
            run.begin("imported", {"checkpoint": origin, "data": plain(cfg.data), "encoder": encoder.settings})
            save_encoder(encoder, run.path, source=origin)
            run.complete(data_fingerprint=data.fingerprint("pretrain"), num_steps=0, seconds=0.0, final_metrics={})
    wait_for_first_process(lambda: run.is_complete, f"the imported encoder in {run.path}")
    return run


def _provenance(source: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Where the weights come from, told to the log and kept beside them."""
    if own_weights(source) is not None:
        return {}
    checkpoint = open_checkpoint(source, LoadOptions(**options))
    for line in checkpoint.notes:
        log.warning("%s", line)
    log.info("%s: %s.", checkpoint.path, checkpoint.summary)
    return {
        "layout": checkpoint.reading.layout.name,
        "role": checkpoint.role,
        "sha256": sha256(checkpoint.path),
    }


def _check_architecture(cfg: DictConfig, encoder: Encoder, source: Path) -> None:
    """A checkpoint decides the encoder; asking for another one by name is a mistake, not a wish to be ignored."""
    asked = [override for override in HydraConfig.get().overrides.task if override.startswith(("encoder=", "encoder."))]
    expected = build_encoder(cfg).feature_dim if asked else encoder.feature_dim
    if asked and (cfg.encoder.architecture != encoder.settings["architecture"] or expected != encoder.feature_dim):
        raise UserError(
            f"Expected the encoder of {source}, a {encoder.settings['architecture']} of {encoder.feature_dim} "
            f"features, got {' '.join(asked)} ({expected} features). Leave the override out: the checkpoint decides."
        )
