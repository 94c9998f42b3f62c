"""Networks that turn images into representations, and their files."""

from qscore.encoders.checkpoints import Checkpoint, LoadOptions, open_checkpoint
from qscore.encoders.encoder import Encoder
from qscore.encoders.export import save_encoder
from qscore.encoders.loading import load_encoder

__all__ = ["Checkpoint", "Encoder", "LoadOptions", "load_encoder", "open_checkpoint", "save_encoder"]
