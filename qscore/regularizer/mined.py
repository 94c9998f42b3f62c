"""What a mining pass found."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from qscore.regularizer.penalty import QScorePenalty
from qscore.score import MAX_EMPTY_SHARE


@dataclass(frozen=True)
class Mined:
    """The outcome of a mining pass.

    Attributes:
        discriminative: The set D, (feature,).
        counts: Number of samples for which each feature is dominant.
        num_samples: Number of samples mined.
        epsilon: The epsilon used, chosen here if "auto" was asked for.
        threshold: A number, or "batch_mean".
        mean_q: Mean Q-Score of the samples mined.
        share_empty: Share of them with an empty L ∩ D.
        epoch: Epoch before which the pass was made.
    """

    discriminative: Tensor
    counts: Tensor
    num_samples: int
    epsilon: float
    threshold: float | str
    mean_q: float
    share_empty: float
    epoch: int

    def penalty(self, weight: float, column_weight: float | None, *, formula: str) -> QScorePenalty:
        """Returns the term over these features."""
        return QScorePenalty(
            self.discriminative,
            weight=weight,
            epsilon=self.epsilon,
            threshold=self.threshold,
            formula=formula,
            column_weight=column_weight,
        )

    def as_json(self) -> dict[str, Any]:
        """Returns the content of `discriminative_features.json`."""
        return {
            "features": self.discriminative.nonzero().flatten().tolist(),
            "num_features": len(self.discriminative),
            "counts": self.counts.tolist(),
            "num_samples": self.num_samples,
            "epsilon": self.epsilon,
            "threshold": self.threshold,
            "mean_q": self.mean_q,
            "share_empty": self.share_empty,
            "epoch": self.epoch,
        }


def emptiness_alarm(mined: Mined, better: float | None) -> str:
    """Returns the warning for a mining pass that left many samples without L ∩ D, with the epsilon to take."""
    advice = (
        f"The largest epsilon that leaves at most {MAX_EMPTY_SHARE:.0%} empty is {better}: "
        f"set epsilon={better}, or epsilon=auto. formula=soft has no empty samples at any epsilon."
        if better
        else "No epsilon leaves fewer than 5 % empty: the encoder has collapsed, or was never trained."
    )
    rule = "=" * 100
    return (
        f"\n{rule}\n"
        f"At epsilon={mined.epsilon:g}, {mined.share_empty:.1%} of the {mined.num_samples:,} mined samples have "
        "no dominant discriminative feature (L ∩ D is empty).\n"
        "Q cannot rank them, and the regularizer has no gradient for them.\n"
        f"{advice}\n{rule}"
    )
