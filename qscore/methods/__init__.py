"""Self-supervised methods, one paper a file."""

from qscore.methods.barlow_twins import BarlowTwins
from qscore.methods.base import SSLMethod
from qscore.methods.byol import BYOL
from qscore.methods.dino import DINO
from qscore.methods.moco import MoCo
from qscore.methods.optimization import Optimization
from qscore.methods.simclr import SimCLR
from qscore.methods.simsiam import SimSiam
from qscore.methods.swav import SwAV
from qscore.methods.vicreg import VICReg

METHODS: tuple[type[SSLMethod], ...] = (SimCLR, SwAV, MoCo, BYOL, DINO, SimSiam, VICReg, BarlowTwins)

__all__ = [
    "BYOL",
    "DINO",
    "METHODS",
    "BarlowTwins",
    "MoCo",
    "Optimization",
    "SSLMethod",
    "SimCLR",
    "SimSiam",
    "SwAV",
    "VICReg",
]
