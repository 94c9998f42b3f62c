"""Evaluates an encoder: linear probe, kNN, prediction of misclassification, sparsity, dominance.

python evaluate.py run=RUN_DIR                              # everything, on the data of the run
python evaluate.py run=RUN_DIR evaluation=knn               # one evaluation
python evaluate.py encoder=FILE data=cifar10 out=DIR        # an exported encoder, on any data
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from qscore.application.build import build_data
from qscore.application.command_line import run_command
from qscore.application.evaluate import CACHE, evaluate_encoder, mined_epsilon
from qscore.application.run_directory import finished_run
from qscore.encoders import load_encoder
from qscore.errors import UserError

log = logging.getLogger(__name__)
PAPER_EPSILON = 4.0


def evaluate(cfg: DictConfig) -> None:
    """From an encoder to its result files."""
    if (cfg.run is None) == (cfg.encoder_file is None):
        raise UserError("Expected an encoder to evaluate: name either run=RUN_DIR or encoder=FILE.")
    epsilon = cfg.scoring.epsilon
    if cfg.run is not None:
        run = finished_run(cfg.run)
        cfg.data = cfg.data or run.facts["config"]["data"]
        epsilon = epsilon or mined_epsilon(run)
    if cfg.data is None:
        raise UserError("Expected data to evaluate on: name it with data=cifar10, data=FOLDER or data=FILE.npz.")
    encoder = load_encoder(cfg.run or cfg.encoder_file)
    home = Path(cfg.run) if cfg.run else Path(cfg.encoder_file).parent
    out = Path(cfg.out) if cfg.out else home
    data = build_data(cfg, with_views=False)
    results = evaluate_encoder(
        encoder, data, cfg, epsilon=epsilon or PAPER_EPSILON, cache=home / CACHE, results=out / "results"
    )
    for name, result in results.items():
        numbers = {key: value for key, value in result.metrics.items() if not key.startswith("class/")}
        log.info("%s: %s", name, ", ".join(f"{key} {value:.4g}" for key, value in numbers.items() if value is not None))
    log.info("Results in %s.", out / "results")


if __name__ == "__main__":
    run_command(evaluate, config_dir=Path(__file__).parent.absolute() / "conf", config_name="evaluate")
