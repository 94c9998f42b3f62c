"""Networks that turn images into representations, and their files."""

from qscore.encoders.encoder import Encoder
from qscore.encoders.export import load_encoder, save_encoder

__all__ = ["Encoder", "load_encoder", "save_encoder"]
