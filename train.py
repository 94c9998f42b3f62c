"""Fine-tunes a pretrained SSL encoder with the Q-Score regularizer, and evaluates it beside its baseline.

python train.py checkpoint=RUN_DIR data=cifar10 lambda=0.1 epsilon=4      # lambda=0 is the control
python train.py checkpoint=swav_800ep_pretrain.pth.tar data=imagenet data_root=DIR method=swav   # anybody's checkpoint
python train.py data=FOLDER method=swav                                   # no checkpoint: pretrains first
python train.py -m lambda=0,0.01,0.1,1 epsilon=2,3,4                      # a sweep, one directory a run
python train.py -m launch=joblib lambda=0,0.1                             # runs at once; or submitit, slurm, ray
python train.py -m search=optuna checkpoint=RUN_DIR                       # lambda chosen by a validation accuracy
python train.py resume=RUN_DIR                                            # goes on after an interruption
"""

from qscore.application.entry_points import train

if __name__ == "__main__":
    train()
