"""Finds in the first steps what the weight of the term means, and holds the result."""

import logging
import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qscore.errors import unknown_name
from qscore.files import write_json
from qscore.methods.head_warmup import HeadWarmup
from qscore.processes import sum_over_processes
from qscore.regularizer.gradients import GradientGauge
from qscore.regularizer.penalty import QScorePenalty
from qscore.regularizer.weighed import GRADIENT, WEIGHT_UNITS, Weighed

log = logging.getLogger(__name__)

FILE = "q_score_weight.json"
RULE = "=" * 100
# The ratio of the two norms follows the batch: the median of 20 evens that out. Of a short training no more than a
# tenth may go by without the term.
NUM_STEPS = 20
SHARE_OF_TRAINING = 0.1


class Weighing:
    """Measures the gradients of loss and term in the first steps, and says which raw weight is in force.

    With "gradient" the term stays off while it is measured: the loss's gradient is then undisturbed, and the weight
    found does not depend on an earlier guess of it. Steps of a `HeadWarmup` are waited for, since the gradients of
    a head that has learned nothing say nothing of the rest. A step with an infinite gradient, which a gradient scaler
    skips, is repeated. A weight of 0 is not measured.

    Args:
        asked: The weight, in its unit.
        unit: "raw", or "gradient": norm of the weighted term's gradient over that of the loss's.

    Attributes:
        norms: Norms of both gradients in the steps measured so far, loss first.
        num_steps: Number of steps to measure; None before the first.

    Raises:
        UserError: If the unit is unknown.
    """

    def __init__(self, asked: float, unit: str) -> None:
        if unit not in WEIGHT_UNITS:
            raise unknown_name("weight_unit", unit, WEIGHT_UNITS)
        self.asked, self.unit = asked, unit
        self.norms: list[tuple[float, float]] = []
        self.num_steps: int | None = None
        self._gauge: GradientGauge | None = None
        self._eager = ExitStack()

    @property
    def is_done(self) -> bool:
        return self.asked == 0 or (self.num_steps is not None and len(self.norms) >= self.num_steps)

    @property
    def weight(self) -> float:
        """The raw weight in force."""
        if self.unit == GRADIENT and not self.is_done:
            return 0.0
        return Weighed(self.asked, self.unit, self.norms).weight

    def attach(self, penalty: QScorePenalty, encoder: nn.Module | None = None) -> None:
        """Gives the penalty the weight in force, and a gauge if that is still to be measured.

        Args:
            penalty: The penalty of the steps to come.
            encoder: The encoder, unless `see` is called with what it returns.
        """
        self.detach()
        penalty.weight = self.weight
        if not self.is_done:
            self._gauge = GradientGauge(penalty)
            if encoder is not None:
                self._gauge.watch(encoder)

    def detach(self) -> None:
        """Leaves penalty, encoder and compiler as they were."""
        self._eager.close()
        if self._gauge is not None:
            self._gauge.detach()
            self._gauge = None

    def see(self, output: Any) -> None:
        """Takes what the encoder returned."""
        if self._gauge is not None:
            self._gauge.see(output)

    def open_step(self, trainer: Any) -> None:
        """Begins to measure, if this is a step to be measured."""
        self._eager.close()
        if self._gauge is None or trainer.global_step < _num_warmup_steps(trainer):
            return
        if self.num_steps is None:
            self.num_steps = num_steps_of(trainer)
        if self.unit == GRADIENT:  # compiled code shows no gradients inside of it, and hides hooks
            self._eager.enter_context(torch.compiler.set_stance("force_eager"))
        self._gauge.is_open = True

    def close_step(self, trainer: Any) -> dict[str, float]:
        """Takes the norms of a step that was measured, sets the penalty's weight, and returns what to log."""
        self._eager.close()
        numbers = {}
        if self._gauge is not None and self._gauge.is_open:
            self._gauge.is_open = False
            # The loss is the mean over the devices: its gradient at the representations of all is theirs, divided.
            norms = sum_over_processes(self._gauge.read().square()).sqrt() / trainer.world_size
            loss, term = norms.tolist()
            if math.isfinite(loss) and math.isfinite(term):
                self.norms.append((loss, term))
                numbers = {"q_score/loss_gradient": loss, "q_score/term_gradient": term}
                if self.is_done:
                    self._conclude(trainer, self._gauge.penalty)
        return {"q_score/weight": self.weight, **numbers}

    def state_dict(self) -> dict[str, Any]:
        return {"norms": self.norms, "num_steps": self.num_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.norms, self.num_steps = [(loss, term) for loss, term in state["norms"]], state["num_steps"]

    def _conclude(self, trainer: Any, penalty: QScorePenalty) -> None:
        self.detach()
        self.norms = trainer.strategy.broadcast(self.norms)
        penalty.weight = self.weight
        if not trainer.is_global_zero:
            return
        weighed = Weighed(self.asked, self.unit, self.norms)
        write_json(Path(trainer.default_root_dir) / FILE, weighed.as_json())
        if (warning := weighed.warning()) is None:
            log.info("%s", weighed.summary())
        else:
            log.warning("\n%s\n%s\n%s", RULE, warning, RULE)


def num_steps_of(trainer: Any) -> int:
    """Returns how many steps of a training are measured: `NUM_STEPS`, a tenth of them if that is less, at least one."""
    epochs = trainer.max_epochs if (trainer.max_epochs or -1) > 0 else math.inf
    planned = min(trainer.num_training_batches * epochs, trainer.max_steps if trainer.max_steps > 0 else math.inf)
    return max(1, int(min(NUM_STEPS, SHARE_OF_TRAINING * planned)))


def _num_warmup_steps(trainer: Any) -> int:
    return max((callback.num_steps for callback in trainer.callbacks if isinstance(callback, HeadWarmup)), default=0)
