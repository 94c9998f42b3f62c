"""QScoreRegularizer: fine-tunes an encoder with the Q-Score term in any LightningModule, as a callback."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.seed import isolate_rng

from qscore.errors import UserError
from qscore.files import write_json
from qscore.methods import SSLMethod
from qscore.processes import means_over_processes
from qscore.regularizer.attach import Attachment
from qscore.regularizer.histograms import QHistograms
from qscore.regularizer.mined import Mined
from qscore.regularizer.mining import MINED_MEAN, Miner, Threshold
from qscore.regularizer.outputs import Select, find_encoder
from qscore.regularizer.penalty import QScorePenalty
from qscore.regularizer.seen import seen_by
from qscore.regularizer.weighed import RAW
from qscore.regularizer.weighing import Weighing

PENALTY, MEAN = "q_score", "q_score/mean"
MINED_FILE = "discriminative_features.json"


class QScoreRegularizer(pl.Callback):
    """Mines the discriminative features at the start, then adds the thresholded Q-Score term to every step.

    Works on the methods of this package and on any other LightningModule, of `pytorch_lightning` or of
    `lightning.pytorch`, under automatic and manual optimization; see `Attachment`.

    D comes from plain training images, with the encoder in eval mode. D, its counts, the threshold, the weight and
    the histograms are part of the checkpoint, so a resumed run keeps them. The random state of the run is left
    alone: with weight 0 the weights come out bit-identical to a run without the callback.

    Args:
        encoder: Dotted path of the trained encoder in the module (never a teacher).
        weight: The paper's lambda; 0 is the control, which logs the same numbers and changes nothing.
        epsilon: Standard deviations above the mean that make a feature dominant, or "auto".
        threshold: The paper's alpha: "mined_mean" (mean Q of the mining pass, then fixed), "batch_mean" (the
            final version's; it follows the batch, and was seen to collapse an encoder at a large weight),
            {"quantile": q} of the mining pass, or a number.
        formula: "ratio" (eq. 3), "centered" (AAAI 2024) or "soft" (ours, never empty), see `qscore.q_score`.
        lower: Quantile of the non-zero dominance counts where D begins.
        upper: Quantile where D ends.
        weight_unit: "raw", the paper's, which means another thing for every formula and width; or "gradient": the norm
            of the term's gradient at the representations over that of the loss's, see `Weighing`.
        column_weight: Weight of the anti-collapse term, see `QScorePenalty`; raw in either unit.
        mine_every_n_epochs: Mine again so often; never by default, since the percentile rule then ejects the
            very features that were raised.
        images: Batches with plain images to mine from; by default those of the trainer's `ImageDataModule`, or else,
            with a warning, the first views of the training batches.
        representations: What the encoder returns to (sample, feature), for an encoder of another module that returns
            a map, tokens, a tuple or a mapping: `lambda output: output.mean((2, 3))`.

    Attributes:
        cache: Folder of cached representations, where an encoder of this package that has not been trained yet is
            mined from and its representations are left; None, as here, keeps them in memory.
        mined: Outcome of the last mining pass; None before the first.
        weighing: What the weight was found to mean.

    Raises:
        UserError: If a setting is out of range, the encoder is not there, or no gradient reaches it.
    """

    def __init__(
        self,
        encoder: str = "encoder",
        weight: float = 0.1,
        epsilon: float | str = 4.0,
        threshold: Threshold = MINED_MEAN,
        formula: str = "ratio",
        *,
        lower: float = 0.5,
        upper: float = 0.95,
        weight_unit: str = RAW,
        column_weight: float | None = None,
        mine_every_n_epochs: int | None = None,
        images: Iterable[Any] | None = None,
        representations: Select | None = None,
    ) -> None:
        if weight < 0 or (column_weight or 0) < 0:
            raise UserError(
                f"Expected weights (lambda) of at least 0, got {weight} and {column_weight}; 0 is the control."
            )
        self.encoder, self.weight, self.column_weight = encoder, weight, column_weight
        self.weighing = Weighing(weight, weight_unit)
        self.miner = Miner(epsilon, threshold, formula, lower, upper)
        self.mine_every_n_epochs, self.images, self.representations = mine_every_n_epochs, images, representations
        self.cache: Path | None = None
        self.mined: Mined | None = None
        self.histograms = QHistograms()
        self._penalty: QScorePenalty | None = None
        self._attachment: Attachment | None = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        self.mined = self.mined or self._mine(trainer, pl_module)
        self._detach(pl_module)
        self._attach(pl_module, self.mined)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        epoch = trainer.current_epoch
        due = self.mine_every_n_epochs and epoch > 0 and epoch % self.mine_every_n_epochs == 0
        if due and self.mined is not None and self.mined.epoch < epoch:
            self.mined = self._mine(trainer, pl_module)
            self._attach(pl_module, self.mined)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        self.weighing.open_step(trainer)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        weights = self.weighing.close_step(trainer)
        seen = self._penalty.statistics if self._penalty else None
        if self._penalty is None or seen is None:
            return  # the step skipped its loss
        self._penalty.statistics = None  # one that skips its loss next has nothing to report
        self.histograms.add(seen.q)
        means = means_over_processes({MEAN: seen.q.mean(), **seen.as_log()})
        # Made on the device: Lightning would bring a number there, and wait for it, at every step.
        device = seen.q.device
        pl_module.log_dict({**means, **{name: torch.full((), float(w), device=device) for name, w in weights.items()}})

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.histograms.close_epoch(trainer)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Leaves the module as it was."""
        self._detach(pl_module)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._detach(pl_module)

    def state_dict(self) -> dict[str, Any]:
        mined = None if self.mined is None else asdict(self.mined)
        return {"mined": mined, "histograms": self.histograms.closed, "weighing": self.weighing.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.mined = None if state_dict["mined"] is None else Mined(**state_dict["mined"])
        self.histograms.closed = state_dict["histograms"]
        if "weighing" in state_dict:  # not in checkpoints of before there was a unit
            self.weighing.load_state_dict(state_dict["weighing"])

    def _mine(self, trainer: Any, pl_module: Any) -> Mined:
        encoder = find_encoder(pl_module, self.encoder)
        with isolate_rng():
            seen = seen_by(encoder, trainer, self.images, select=self.representations, cache=self.cache)
            found = self.miner.mine(seen, epoch=trainer.current_epoch)
        mined: Mined = trainer.strategy.broadcast(found)  # devices may round differently; D is the same on all
        if trainer.is_global_zero:
            write_json(Path(trainer.default_root_dir) / MINED_FILE, mined.as_json())
        return mined

    def _attach(self, pl_module: Any, mined: Mined) -> None:
        penalty = mined.penalty(self.weight, self.column_weight, formula=self.miner.formula)
        self._penalty = penalty.to(pl_module.device)
        encoder, is_ours = find_encoder(pl_module, self.encoder), isinstance(pl_module, SSLMethod)
        self.weighing.attach(self._penalty, encoder if is_ours else None)
        if is_ours:
            pl_module.penalties[PENALTY] = self._penalty
        elif self._attachment is None:
            self._attachment = Attachment(
                pl_module, encoder, self._penalty, self.representations, see=self.weighing.see
            )
        else:
            self._attachment.penalty = self._penalty  # mined again: what was compiled around the hook stays

    def _detach(self, pl_module: Any) -> None:
        self.weighing.detach()
        if isinstance(pl_module, SSLMethod) and PENALTY in pl_module.penalties:
            del pl_module.penalties[PENALTY]
        if self._attachment is not None:
            self._attachment.detach()
            self._attachment = None
