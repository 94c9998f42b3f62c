"""Evaluates an encoder: linear probe, kNN, prediction of misclassification, sparsity, dominance, classes...

python evaluate.py run=RUN_DIR                              # everything, on the data of the run
python evaluate.py run=RUN_DIR evaluation=knn               # one evaluation
python evaluate.py run=RUN_DIR evaluation=transfer evaluation.transfer.datasets=[cifar10,FOLDER]   # other data sets
python evaluate.py encoder=FILE data=cifar10 out=DIR        # an exported encoder or anybody's checkpoint, on any data
python evaluate.py run=RUN_DIR trainer.devices=8 trainer.strategy=ddp      # representations on eight devices
"""

from qscore.application.entry_points import evaluate

if __name__ == "__main__":
    evaluate()
