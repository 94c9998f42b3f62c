"""Self-supervised methods, one paper a file, one line each."""

from qscore.methods.barlow_twins import BarlowTwins as BarlowTwins
from qscore.methods.base import SSLMethod as SSLMethod
from qscore.methods.byol import BYOL as BYOL
from qscore.methods.dino import DINO as DINO
from qscore.methods.moco import MoCo as MoCo
from qscore.methods.optimization import Optimization as Optimization
from qscore.methods.simclr import SimCLR as SimCLR
from qscore.methods.simsiam import SimSiam as SimSiam
from qscore.methods.swav import SwAV as SwAV
from qscore.methods.vicreg import VICReg as VICReg
