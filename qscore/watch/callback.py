"""CollapseWatch: notices collapse and divergence while they happen, and says so once."""

from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from qscore.errors import UserError
from qscore.processes import means_over_processes, num_processes
from qscore.regularizer.outputs import Select, find_encoder
from qscore.watch.ear import Ear
from qscore.watch.finite import LossRecord, not_finite
from qscore.watch.judge import DEAD_SHARE, LOSS, Judge, Limits, Notice
from qscore.watch.settings import logged, term_share
from qscore.watch.signals import Signals, Window, batch_rank, spread
from qscore.watch.telling import Notes

OPTIMIZERS = "optimizer_states"
WINDOW = 8
SCALER_PATIENCE = 20  # steps that a gradient scaler may skip while it looks for its scale


class CollapseWatch(pl.Callback):
    """Looks at a few batches an epoch that the encoder computes anyway, and at every loss.

    Works on any LightningModule, beside `QScoreRegularizer` or alone. Collapse (spread and RankMe of the
    representations, standard deviation of the projections), dead features, empty L ∩ D and an exploding loss are
    each said once, with the likely causes; a loss or a weight that is not finite ends the training with a `UserError`,
    and no checkpoint with such weights is ever written. `noticed.json` of the trainer's root directory holds what was
    noticed. No random number is drawn and no gradient touched: the run ends with the same bits.

    Args:
        encoder: Dotted path of the trained encoder in the module.
        looks_per_epoch: Batches of an epoch that are looked at.
        limits: What is still normal, see `Limits`; by default its defaults.
        representations: What the encoder returns to (sample, feature), as in `QScoreRegularizer`.

    Attributes:
        signals: What the last look saw; None before the first.

    Raises:
        UserError: If a setting is out of range, the encoder is not there, or loss or weights are not finite.
    """

    def __init__(
        self,
        encoder: str = "encoder",
        looks_per_epoch: int = 8,
        *,
        limits: Limits | None = None,
        representations: Select | None = None,
    ) -> None:
        if looks_per_epoch < 1:
            raise UserError(f"Expected the watch to look at 1 batch an epoch or more, got {looks_per_epoch}; raise it.")
        self.encoder, self.looks_per_epoch, self.representations = encoder, looks_per_epoch, representations
        self._notes = Notes()
        self.signals: Signals | None = None
        self._judge, self._window = Judge(limits or Limits()), Window(WINDOW)
        self._losses, self._every = LossRecord(), 1
        self._ear: Ear | None = None
        self._came_so: set[str] = set()

    @property
    def noticed(self) -> list[dict[str, Any]]:
        """What was noticed so far: the content of `noticed.json`, and of the entry `noticed` in `run.json`."""
        return self._notes.facts

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        self._detach()
        self._ear = Ear(find_encoder(pl_module, self.encoder), self.representations)
        self._came_so = set(not_finite({"state_dict": dict(pl_module.named_buffers())}))  # masks of -inf, and the like
        self._losses = LossRecord(SCALER_PATIENCE if str(trainer.precision).startswith("16-mixed") else 1)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        num_batches = trainer.num_training_batches
        self._every = max(1, int(num_batches) // self.looks_per_epoch) if num_batches != float("inf") else 100

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if self._ear is not None:
            self._ear.is_listening = batch_idx % self._every == 0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if isinstance(loss, Tensor):
            self._losses.add(loss, trainer.global_step)
        if batch_idx % self._every == 0:
            self._look(trainer, pl_module, loss)
        elif isinstance(loss, Tensor) and loss.device.type == "cpu" and num_processes() == 1:  # nothing to wait for
            self._stop_if_not_finite(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Comes before the checkpoint of the epoch, and before callbacks that would look at a lost encoder."""
        self._stop_if_not_finite(trainer, pl_module)
        self._stop_if_lost(trainer, pl_module, {"state_dict": pl_module.state_dict()})

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint of weights that are lost, before a byte of it is written."""
        self._stop_if_lost(trainer, pl_module, {part: checkpoint.get(part) for part in ("state_dict", OPTIMIZERS)})

    def teardown(self, *_: Any, **__: Any) -> None:
        self._detach()

    on_exception = teardown

    def state_dict(self) -> dict[str, Any]:
        return {"noticed": self.noticed, "judge": self._judge.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._notes.notices = [Notice(**entry) for entry in state_dict["noticed"]]
        self._judge = Judge(self._judge.limits, **state_dict["judge"])

    def _look(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        self._stop_if_not_finite(trainer, pl_module)
        values = logged(trainer)
        self._notes.largest_share = max(self._notes.largest_share, term_share(trainer))
        if isinstance(loss, Tensor):
            values[LOSS] = float(means_over_processes({LOSS: loss.detach()})[LOSS])
        h = self._ear.heard() if self._ear else None
        if h is not None and not h.isfinite().all():
            self._notes.stop(trainer, pl_module, "a representation", trainer.global_step)
        if h is not None and len(h) > 1:
            values |= self._see(trainer, h)
        for notice in self._judge.judge(trainer.global_step, values):
            self._notes.tell(trainer, pl_module, notice)

    def _see(self, trainer: Any, h: Tensor) -> dict[str, float]:
        self._window.add(h)
        self.signals = Signals(trainer.global_step, spread(h), batch_rank(h), self._window.dead_share)
        if trainer.is_global_zero:
            for logger in trainer.loggers:
                logger.log_metrics(self.signals.as_log(), trainer.global_step)
        values = self.signals.values
        if not self._window.is_full:
            del values[DEAD_SHARE]
        return values

    def _stop_if_not_finite(self, trainer: Any, pl_module: Any) -> None:
        if (step := self._losses.first()) is not None:
            self._notes.stop(trainer, pl_module, "the loss", step)

    def _stop_if_lost(self, trainer: Any, pl_module: Any, state: dict[str, Any]) -> None:
        names = [name for name in not_finite(state) if name not in self._came_so]
        if names:
            what = f"{names[0].removeprefix('state_dict.')} (and {len(names) - 1} more of the training's tensors)"
            self._notes.stop(trainer, pl_module, what, trainer.global_step)

    def _detach(self) -> None:
        if self._ear is not None:
            self._ear.detach()
            self._ear = None
