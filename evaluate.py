"""Evaluates an encoder: linear probe, kNN, prediction of misclassification, sparsity, dominance, classes...

python evaluate.py run=RUN_DIR                              # everything, on the data of the run
python evaluate.py run=RUN_DIR evaluation=knn               # one evaluation
python evaluate.py run=RUN_DIR evaluation=transfer evaluation.transfer.datasets=[cifar10,FOLDER]   # other data sets
python evaluate.py encoder=FILE data=cifar10 out=DIR        # an exported encoder or anybody's checkpoint, on any data
python evaluate.py run=RUN_DIR trainer.devices=8 trainer.strategy=ddp      # representations on eight devices
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from qscore.application.build import build_data, build_extraction_trainer, load_options, plain
from qscore.application.command_line import run_command
from qscore.application.evaluate import answerable, evaluate_encoder, mined_epsilon
from qscore.application.run_directory import CACHE, finished_run
from qscore.encoders import Encoder, load_encoder
from qscore.encoders.loading import own_weights
from qscore.errors import UserError
from qscore.files import fingerprint

log = logging.getLogger(__name__)
NUM_SAID = 6  # of an evaluation whose numbers all belong to a class, a part or a score
DEFAULTS = {"epsilon": 4.0, "formula": "ratio", "lower": 0.5, "upper": 0.95, "seed": 0}


def evaluate(cfg: DictConfig) -> None:
    """From an encoder to its result files."""
    source = cfg.checkpoint.path
    if (cfg.run is None) == (source is None):
        raise UserError("Expected an encoder to evaluate: name either run=RUN_DIR or encoder=FILE.")
    known, same = DEFAULTS, False
    if cfg.run is not None:
        run = finished_run(cfg.run)
        known = {**DEFAULTS, **run.facts["config"].get("scoring", {}), "epsilon": mined_epsilon(run) or 4.0}
        same = cfg.data is None and all(cfg.scoring[name] in (None, value) for name, value in known.items())
        cfg.data = cfg.data or run.facts["config"]["data"]
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
    cfg.evaluation = answerable(cfg.evaluation, data)
    trainer = build_extraction_trainer(cfg)
    folders = {"cache": home / CACHE, "results": out / "results"}
    results = evaluate_encoder(encoder, data, cfg, epsilon=None, trainer=trainer, **folders)
    if trainer is not None and not trainer.is_global_zero:
        return
    for name, result in results.items():
        known = {key: value for key, value in result.metrics.items() if value is not None}
        headline = [key for key in known if "/" not in key] or list(known)[:NUM_SAID]
        log.info("%s: %s", name, ", ".join(f"{key} {known[key]:.4g}" for key in headline))
    log.info("Results in %s.", out / "results")


def _home(source: Path, encoder: Encoder) -> Path:
    """Beside an exported encoder; apart for a file that came from elsewhere, whose folder is not ours to fill."""
    own = own_weights(source)
    return own.parent if own is not None else Path("runs") / f"{source.stem}-{encoder.fingerprint()[:8]}"


if __name__ == "__main__":
    run_command(evaluate, config_dir=Path(__file__).parent.absolute() / "conf", config_name="evaluate")
