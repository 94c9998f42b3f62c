"""W&B and TensorBoard that a training goes on without: a failure is said once, and `metrics.csv` has it all."""

import logging
from collections.abc import Callable
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger
from pytorch_lightning.loggers.logger import DummyExperiment  # type: ignore[attr-defined]

log = logging.getLogger(__name__)


class Lenient:
    """Passes calls on to a thing until one of them fails; from then on they do nothing.

    Args:
        name: Of the thing, for the log.
        errors: What counts as a failure.
    """

    def __init__(self, name: str, errors: tuple[type[Exception], ...]) -> None:
        self.name, self.errors, self.has_failed = name, errors, False

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.has_failed:
            return None
        try:
            return method(*args, **kwargs)
        except self.errors as error:
            self.has_failed = True
            log.warning(
                "%s cannot be written any more (%s): going on without it. metrics.csv has it all.", self.name, error
            )
            return None


class LenientExperiment:
    """What a logger writes to, with its methods called leniently."""

    def __init__(self, experiment: Any, lenient: Lenient) -> None:
        self._experiment, self._lenient = experiment, lenient

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._experiment, name)
        return (lambda *args, **kwargs: self._lenient.call(value, *args, **kwargs)) if callable(value) else value


class LenientTensorBoardLogger(TensorBoardLogger):
    """Lightning's, see above."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lenient = Lenient("TensorBoard", (OSError, RuntimeError, ValueError))

    @property
    def experiment(self) -> Any:
        writer = self._lenient.call(lambda: super(LenientTensorBoardLogger, self).experiment)
        return DummyExperiment() if writer is None else LenientExperiment(writer, self._lenient)

    def save(self) -> None:
        self._lenient.call(super().save)


class LenientWandbLogger(WandbLogger):
    """Lightning's, see above. The first use of `experiment` may raise: there another mode can be chosen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        import wandb

        super().__init__(*args, **kwargs)
        self._lenient = Lenient("W&B", (OSError, RuntimeError, wandb.errors.Error))

    @property
    def experiment(self) -> Any:
        return LenientExperiment(super().experiment, self._lenient)
