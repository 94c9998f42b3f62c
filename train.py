"""Fine-tunes a pretrained SSL encoder with the Q-Score regularizer, and evaluates it beside its baseline.

python train.py checkpoint=RUN_DIR data=cifar10 lambda=0.1 epsilon=4      # lambda=0 is the control
python train.py checkpoint=swav_800ep_pretrain.pth.tar data=imagenet data_root=DIR method=swav   # anybody's checkpoint
python train.py data=FOLDER method=swav                                   # no checkpoint: pretrains first
python train.py -m lambda=0,0.01,0.1,1 epsilon=2,3,4                      # a sweep, one directory a run
python train.py -m launch=joblib lambda=0,0.1                             # runs at once; or submitit, slurm, ray
python train.py -m search=optuna checkpoint=RUN_DIR                       # lambda chosen by a validation accuracy
python train.py resume=RUN_DIR                                            # goes on after an interruption
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from qscore.application.baseline import baseline_run
from qscore.application.build import build_callbacks, build_data, plain
from qscore.application.command_line import output_dir, run_command, saved_config
from qscore.application.evaluate import answerable, evaluate_run
from qscore.application.launch import is_first_process
from qscore.application.pictures import log_report
from qscore.application.run_directory import RunDirectory
from qscore.application.speed import settle_precision
from qscore.application.stages import fine_tune, loggers_of
from qscore.application.sweeps import check_sweep, objective

log = logging.getLogger(__name__)


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


if __name__ == "__main__":
    run_command(train, config_dir=Path(__file__).parent.absolute() / "conf", config_name="train")
