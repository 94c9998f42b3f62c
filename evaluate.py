"""Evaluates an encoder: linear probe, kNN, prediction of misclassification, sparsity, dominance, classes...

python evaluate.py run=RUN_DIR                              # everything, on the data of the run
python evaluate.py run=RUN_DIR evaluation=knn               # one evaluation
python evaluate.py run=RUN_DIR evaluation=transfer evaluation.transfer.datasets=[cifar10,FOLDER]   # other data sets
python evaluate.py encoder=FILE data=cifar10 out=DIR        # an exported encoder or anybody's checkpoint, on any data
python evaluate.py run=RUN_DIR trainer.devices=8 trainer.strategy=ddp      # representations on eight devices
"""

from pathlib import Path

from omegaconf import DictConfig

from qscore.application.command_line import run_command


def evaluate(cfg: DictConfig) -> None:
    """From an encoder to its result files."""
    from qscore.application import commands  # loads torch, which --help and --cfg do not wait for

    commands.evaluate(cfg)


if __name__ == "__main__":
    run_command(evaluate, config_dir=Path(__file__).parent.absolute() / "conf", config_name="evaluate")
