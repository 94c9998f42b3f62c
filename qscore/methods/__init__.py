"""Self-supervised methods, one paper a file."""

from qscore.methods.base import SSLMethod
from qscore.methods.byol import BYOL
from qscore.methods.moco import MoCo
from qscore.methods.optimization import Optimization
from qscore.methods.simclr import SimCLR
from qscore.methods.swav import SwAV

METHODS: tuple[type[SSLMethod], ...] = (SimCLR, SwAV, MoCo, BYOL)

__all__ = ["BYOL", "METHODS", "MoCo", "Optimization", "SSLMethod", "SimCLR", "SwAV"]
