"""What train.py and evaluate.py do, once the configuration is composed."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from qscore.application.baseline import baseline_run
from qscore.application.build import build_callbacks, build_data, build_extraction_trainer, load_options, plain
from qscore.application.command_line import output_dir, saved_config
from qscore.application.evaluate import answerable, evaluate_encoder, evaluate_run, mined_epsilon
from qscore.application.launch import is_first_process
from qscore.application.pictures import log_report
from qscore.application.run_directory import CACHE, FACTS, RunDirectory, finished_run
from qscore.application.speed import settle_precision
from qscore.application.stages import fine_tune, loggers_of
from qscore.application.sweeps import check_sweep, objective
from qscore.application.trusted import trusted
from qscore.encoders import Encoder, load_encoder
from qscore.encoders.loading import own_weights
from qscore.errors import UserError
from qscore.files import fingerprint

log = logging.getLogger(__name__)
NUM_SAID = 6  # of an evaluation whose numbers all belong to a class, a part or a score
DEFAULTS = {"epsilon": 4.0, "formula": "ratio", "lower": 0.5, "upper": 0.95, "seed": 0}


def train(cfg: DictConfig) -> float | None:
    """From the configuration to a run directory with an encoder and its results; returns what a search looks at."""
    run = RunDirectory(output_dir())
    cfg = saved_config(cfg)
    settle_precision(cfg)
    run.begin("fine_tune", plain(cfg))
    callbacks = build_callbacks(cfg)  # a mistake in them is seen before hours of pretraining
    data = build_data(cfg)
    cfg.evaluation = answerable(cfg.evaluation, data)
    check_sweep(cfg)
    if run.is_evaluated(cfg.evaluation):
        log.info("The run in %s is complete already.", run.path)
        return objective(cfg.get("objective"), run)
    baseline = baseline_run(cfg, run, data)
    with loggers_of(cfg, run) as loggers:
        if not run.is_complete:
            fine_tune(cfg, run, baseline, data, callbacks, loggers)
        if not is_first_process():
            return None
        if cfg.evaluation:
            evaluate_run(cfg, run, data)
            log_report(run, loggers)
    run.update(evaluated=list(cfg.evaluation))
    log.info("Done. Compare runs with: python -m qscore.report %s", run.path)
    return objective(cfg.get("objective"), run)


def evaluate(cfg: DictConfig) -> None:
    """From an encoder to its result files."""
    source = cfg.checkpoint.path
    if (cfg.run is None) == (source is None):
        raise UserError("Expected an encoder to evaluate: name either run=RUN_DIR or encoder=FILE.")
    known, same = DEFAULTS, False
    if cfg.run is not None:
        run = finished_run(cfg.run)
        known = {**DEFAULTS, **run.config.get("scoring", {}), "epsilon": mined_epsilon(run) or 4.0}
        same = cfg.data is None and all(cfg.scoring[name] in (None, value) for name, value in known.items())
        cfg.data = cfg.data or trusted(run.config.get("data"), run.path / FACTS)
    for name, value in known.items():
        cfg.scoring[name] = value if cfg.scoring[name] is None else cfg.scoring[name]
    if cfg.data is None:
        raise UserError("Expected data to evaluate on: name it with data=cifar10, data=FOLDER or data=FILE.npz.")
    encoder = load_encoder(cfg.run or source, **load_options(cfg))
    encoder.check_image_size(cfg.data.image_size)
    home = Path(cfg.run) if cfg.run else _home(Path(source), encoder)
    apart = home if same else home / f"evaluated-{fingerprint(str(plain(cfg.data)), str(plain(cfg.scoring)))[:8]}"
    out = Path(cfg.out) if cfg.out else apart
    data = build_data(cfg, with_views=False)
    asked = list(cfg.evaluation)
    cfg.evaluation = answerable(cfg.evaluation, data)
    if asked and not cfg.evaluation:
        raise UserError(
            f"Expected images with labels for {', '.join(asked)}, got none with a label, and nothing is left to "
            "evaluate. Sort the images into a folder for each class, or choose evaluation=sparsity."
        )
    trainer = build_extraction_trainer(cfg)
    folders = {"cache": home / CACHE, "results": out / "results"}
    results = evaluate_encoder(encoder, data, cfg, epsilon=None, trainer=trainer, **folders)
    if trainer is not None and not trainer.is_global_zero:
        return
    for name, result in results.items():
        known = {key: value for key, value in result.metrics.items() if value is not None}
        headline = [key for key in known if "/" not in key and not key.endswith("_sd")] or list(known)[:NUM_SAID]
        log.info("%s: %s", name, ", ".join(f"{key} {known[key]:.4g}" for key in headline))
    log.info("Results in %s.", out / "results")


def _home(source: Path, encoder: Encoder) -> Path:
    """Beside an exported encoder; apart for a file that came from elsewhere, whose folder is not ours to fill."""
    own = own_weights(source)
    return own.parent if own is not None else Path("runs") / f"{source.stem}-{encoder.fingerprint()[:8]}"
