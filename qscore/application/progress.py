"""The progress bar of a training."""

from typing import Any

from pytorch_lightning.callbacks import TQDMProgressBar

SHOWN = ("train/loss", "q_score/mean")


class ProgressBar(TQDMProgressBar):
    """Lightning's bar, with the loss and the mean Q where it is drawn anew.

    `self.log(prog_bar=True)` would show the same, and make every step wait for the device to tell it the number.

    Args:
        every_n_steps: Steps between two drawings.
    """

    def __init__(self, every_n_steps: int) -> None:
        super().__init__(refresh_rate=every_n_steps, leave=True)

    def get_metrics(self, trainer: Any, pl_module: Any) -> dict[str, Any]:
        found = trainer.callback_metrics
        return {**super().get_metrics(trainer, pl_module), **{n: f"{float(found[n]):.3g}" for n in SHOWN if n in found}}
