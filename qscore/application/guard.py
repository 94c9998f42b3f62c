"""WarmStartGuard: says when fine-tuning destroys the encoder it started from, and keeps the best state."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities.seed import isolate_rng

from qscore.encoders import save_encoder
from qscore.errors import UserError, unknown_name
from qscore.evaluation.margins import AUTO, Margins, best_measurement, broken_margins, falls
from qscore.evaluation.warm_start import SPLIT, FixedSubset, Measurement, fixed_subset, measure
from qscore.files import WEIGHTS, write_json
from qscore.methods import SSLMethod

log = logging.getLogger(__name__)

GUARD_FILE, BEST = "guard.json", "best"
WARN, STOP = "warn", "stop"


class WarmStartGuard(pl.Callback):
    """Looks at a fixed part of the training images before the first step and after every epoch.

    A fall of kNN accuracy, RankMe or standard deviation by more than a margin is a warning, or ends the training. The
    best state lies in `RUN_DIR/best/`, the curve in `RUN_DIR/guard.json`; neither is ever ahead of the checkpoint, so
    a resumed run goes on with both. The run ends with the same bits as one without the guard.

    Args:
        num_images: How many are looked at; all where there are fewer. Half of them are queries to the other half.
        knn_margin: Allowed fall of the kNN accuracy, or "auto", see `auto_knn_margin`: 0.03 for 2,000 images.
        rank_margin: Allowed fall of RankMe, as a share of its first value; 1 allows any.
        std_margin: Allowed fall of the standard deviation, likewise.
        on_fall: "warn", or "stop" to end the training after that epoch as if it had been the last.
        seed: Of the choice of images. Not the training seed: runs of all seeds are seen on the same images.

    Attributes:
        curve: What was measured so far, the state before the first step first.
        stopped_after: The epoch after which the guard ended the training; None where it did not.

    Raises:
        UserError: If a setting is out of range, or representations are no longer finite.
    """

    def __init__(
        self,
        *,
        num_images: int = 2000,
        knn_margin: float | str = AUTO,
        rank_margin: float = 0.5,
        std_margin: float = 0.5,
        on_fall: str = WARN,
        seed: int = 0,
    ) -> None:
        if num_images < 2:
            raise UserError(f"Expected the guard to look at 2 images or more, got num_images={num_images}; raise it.")
        if on_fall not in (WARN, STOP):
            raise unknown_name("on_fall", on_fall, (WARN, STOP))
        self.margins = Margins(knn_margin, rank_margin, std_margin)
        self.num_images, self.seed, self.on_fall = num_images, seed, on_fall
        self.curve: list[Measurement] = []
        self.stopped_after: int | None = None
        self._subset: FixedSubset | None = None
        self._written: Measurement | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """The content of `guard.json`, and of the entry `guard` in `run.json`."""
        best = best_measurement(self.curve)
        return {
            "curve": [asdict(measurement) for measurement in self.curve],
            "floors": self._floors,
            "broken": broken_margins(self.curve, self._floors),
            "best": {"epoch": best.epoch, "encoder": f"{BEST}/{WEIGHTS}", "ranked_by": best.ranked_by},
            "stopped_after": self.stopped_after,
            "images": {"split": SPLIT, "num": len(self._images.positions), "num_queries": len(self._images.queries)},
        }

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        source = trainer.datamodule.source(SPLIT)
        self._subset = fixed_subset(source.labels, self.num_images, of=len(source), seed=self.seed)
        if self.stopped_after is not None:
            trainer.should_stop = True  # killed after its last checkpoint, resumed only to be completed

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        if not self.curve:
            self._measure(trainer, pl_module, epoch=trainer.current_epoch)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self._write(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        known = broken_margins(self.curve, self._floors)
        self._measure(trainer, pl_module, epoch=trainer.current_epoch + 1)
        newly = [name for name in broken_margins(self.curve, self._floors) if name not in known]
        if newly and self.on_fall == STOP and self.curve[-1].epoch < trainer.max_epochs:
            self.stopped_after, trainer.should_stop = self.curve[-1].epoch, True
        if newly and trainer.is_global_zero:
            log.warning(
                "Fine-tuning harms the encoder it started from: %s. Lower the learning rate or lambda; the best state, "
                "of epoch %d, is kept in %s.%s",
                falls(self.curve, self._floors, newly),
                best_measurement(self.curve).epoch,
                Path(trainer.default_root_dir) / BEST / WEIGHTS,
                "" if self.stopped_after is None else " The guard ends the training here (on_fall=stop).",
            )

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        self._write(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        return {"curve": [asdict(measurement) for measurement in self.curve], "stopped_after": self.stopped_after}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve = [Measurement(**entry) for entry in state_dict["curve"]]
        self.stopped_after = state_dict["stopped_after"]

    def _measure(self, trainer: Any, pl_module: SSLMethod, *, epoch: int) -> None:
        with isolate_rng():
            found = measure(pl_module.encoder, trainer.datamodule, self._images, epoch=epoch, step=trainer.global_step)
        found = trainer.strategy.broadcast(found)  # devices may round differently; what follows is the same on all
        self.curve.append(found)
        if trainer.is_global_zero:
            for logger in trainer.loggers:
                logger.log_metrics({f"guard/{name}": value for name, value in found.metrics.items()}, found.step)
                logger.save()

    def _write(self, trainer: Any, pl_module: SSLMethod) -> None:
        """Writes the curve, and the encoder where it is the best so far. The checkpoint of the epoch is there first."""
        now = self.curve[-1]
        if now is self._written or not trainer.is_global_zero:
            return
        home = Path(trainer.default_root_dir)
        if now is best_measurement(self.curve):
            save_encoder(pl_module.encoder, home / BEST, image_size=trainer.datamodule.image_size, **asdict(now))
        write_json(home / GUARD_FILE, self.facts)
        self._written = now

    @property
    def _floors(self) -> dict[str, float]:
        return self.margins.floors(self.curve[0], len(self._images.queries))

    @property
    def _images(self) -> FixedSubset:
        if self._subset is None:
            raise AssertionError("the images are chosen when fitting starts")
        return self._subset


def guard_facts(trainer: pl.Trainer) -> dict[str, Any] | None:
    """Returns what the guard of a training found; None where there was none."""
    return next((callback.facts for callback in trainer.callbacks if isinstance(callback, WarmStartGuard)), None)  # type: ignore[attr-defined]
