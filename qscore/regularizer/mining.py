"""One pass over plain images: which features are discriminative, and where the threshold stands."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from qscore.errors import UserError, unknown_name
from qscore.regularizer.mined import Mined, emptiness_alarm
from qscore.regularizer.penalty import BATCH_MEAN
from qscore.regularizer.seen import Seen
from qscore.score import (
    AUTO,
    FORMULAS,
    OVER_SETS,
    discriminative_features,
    dominant_features,
    epsilon_number,
    largest_epsilon,
    q_score,
)

log = logging.getLogger(__name__)

MINED_MEAN = "mined_mean"
THRESHOLDS = (MINED_MEAN, BATCH_MEAN)
Threshold = float | str | Mapping[str, float]
ALARMING_EMPTY_SHARE = 0.2


@dataclass(frozen=True)
class Miner:
    """How to mine.

    Attributes:
        epsilon: Standard deviations above the mean, or "auto": the largest that leaves at most 5 % of the
            samples with an empty L ∩ D.
        threshold: "mined_mean" (the mean Q of the pass), "batch_mean", {"quantile": q} of the pass, or a number.
        formula: "ratio", "centered" or "soft".
        lower: Quantile of the non-zero counts where D begins.
        upper: Quantile where it ends.
    """

    epsilon: float | str = 4.0
    threshold: Threshold = MINED_MEAN
    formula: str = "ratio"
    lower: float = 0.5
    upper: float = 0.95

    def __post_init__(self) -> None:
        if self.formula not in FORMULAS:
            raise unknown_name("formula", self.formula, FORMULAS)
        if not 0 <= self.lower < self.upper <= 1:
            raise UserError(f"Expected 0 <= lower < upper <= 1, got lower={self.lower} and upper={self.upper}.")
        if isinstance(self.epsilon, str) and self.epsilon != AUTO:
            raise UserError(f"Expected epsilon to be a number or 'auto', got '{self.epsilon}'.")
        if not isinstance(self.epsilon, str) and self.epsilon < 0:
            raise UserError(f"Expected epsilon to be at least 0, got {self.epsilon}.")
        if isinstance(self.threshold, str) and self.threshold not in THRESHOLDS:
            options = [*THRESHOLDS, "{quantile: 0.25}", "or a number"]
            raise unknown_name("threshold (alpha)", self.threshold, options)
        quantile = self.threshold.get("quantile", -1) if isinstance(self.threshold, Mapping) else 0
        if isinstance(self.threshold, Mapping) and (len(self.threshold) != 1 or not 0 <= quantile <= 1):
            raise UserError(f"Expected a threshold of the form {{quantile: 0.25}}, got {dict(self.threshold)}.")

    def mine(self, seen: Seen, *, epoch: int = 0) -> Mined:
        """Returns D, the threshold and the state of Q over some representations, the same on every process.

        Raises:
            UserError: If there are none.
        """
        if not seen.num_samples:
            raise UserError("Expected images to mine features from, got none that could be read.")
        epsilon = self.epsilon
        if isinstance(epsilon, str):
            epsilon = epsilon_number(epsilon, seen.drawn(), lower=self.lower, upper=self.upper)
        counts = seen.counts(epsilon)
        discriminative = discriminative_features(counts, lower=self.lower, upper=self.upper)
        q = seen.of_each(lambda h: q_score(h, discriminative, epsilon, formula=self.formula))
        is_scored = seen.of_each(lambda h: (dominant_features(h, epsilon) & discriminative).any(-1))
        mined = Mined(
            discriminative=discriminative,
            counts=counts,
            num_samples=seen.num_samples,
            epsilon=float(epsilon),
            threshold=self._threshold(q),
            mean_q=float(q.mean()),
            share_empty=1.0 - float(is_scored.double().mean()),
            epoch=epoch,
        )
        self._report(mined, seen)
        return mined

    def _threshold(self, q: Tensor) -> float | str:
        if isinstance(self.threshold, Mapping):
            return float(torch.tensor(q.numpy()).quantile(self.threshold["quantile"]))
        if self.threshold == MINED_MEAN:
            return float(q.mean())
        return self.threshold

    def _report(self, mined: Mined, seen: Seen) -> None:
        log.info(
            "Mined %d discriminative of %d features from %s images: epsilon %.3g, threshold %s, mean Q %.4g.",
            int(mined.discriminative.sum()),
            len(mined.discriminative),
            f"{mined.num_samples:,}",
            mined.epsilon,
            mined.threshold,
            mined.mean_q,
        )
        if mined.share_empty > ALARMING_EMPTY_SHARE and self.formula in OVER_SETS:
            better = largest_epsilon(seen.drawn(), lower=self.lower, upper=self.upper)
            log.warning("%s", emptiness_alarm(mined, better))
