"""What every evaluation starts from, and the one linear probe that several of them look at."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qscore.errors import UserError
from qscore.evaluation.pictures import Pictures
from qscore.evaluation.probe import Probe, fit_probe
from qscore.records import Representations
from qscore.score import DiscriminativeFeatures, by_rows, empty_share, q_score

MINED_AT_ONCE = 65_536


@dataclass
class EvaluationInputs:
    """Cached representations of the training and the held-out images by one encoder, and how Q is computed.

    Attributes:
        train: The probe is fitted, and D is mined, here.
        test: Everything is measured here.
        epsilon: Standard deviations above the mean that make a feature dominant.
        formula: "ratio", "centered" or "soft".
        lower: Quantile of the non-zero dominance counts where D begins.
        upper: Quantile where D ends.
        seed: Of the probe's validation split and of every bootstrap.
        pictures: The encoder and the images themselves, for the evaluations that look at them again.

    Raises:
        UserError: If train and test come from encoders of different width.
    """

    train: Representations
    test: Representations
    epsilon: float = 4.0
    formula: str = "ratio"
    lower: float = 0.5
    upper: float = 0.95
    seed: int = 0
    pictures: Pictures | None = None

    def __post_init__(self) -> None:
        widths = self.train.h.shape[1], self.test.h.shape[1]
        if widths[0] != widths[1]:
            raise UserError(
                f"Expected train and test representations of one encoder, got {widths[0]} and {widths[1]} features."
            )

    @cached_property
    def mined(self) -> DiscriminativeFeatures:
        """Dominance counts over the training images."""
        features = DiscriminativeFeatures(
            self.train.h.shape[1],
            self.epsilon,
            lower=self.lower,
            upper=self.upper,
            sync_on_compute=False,  # other processes of a training, if there were any, have gone
        )
        for part in torch.split(self.train.h, MINED_AT_ONCE):
            features.update(part)
        return features

    @cached_property
    def discriminative(self) -> Bool[Tensor, " feature"]:
        """The set D, mined from the training images of this very encoder."""
        return self.mined.compute()

    @cached_property
    def test_q(self) -> Float[Tensor, " sample"]:
        """Q-Score of each held-out sample."""
        return by_rows(lambda part: q_score(part, self.discriminative, self.epsilon, formula=self.formula), self.test.h)

    @cached_property
    def test_empty_share(self) -> float:
        """Share of the held-out samples with an empty L ∩ D."""
        return empty_share(self.test.h, self.discriminative, self.epsilon)

    @cached_property
    def probe(self) -> Probe:
        """The linear probe fitted on the training representations.

        Raises:
            UserError: If the data has no labels, or one class only.
        """
        train, test = self.labels
        return fit_probe(self.train.h.numpy(), train.numpy(), self.test.h.numpy(), test.numpy(), seed=self.seed)

    @cached_property
    def labels(self) -> tuple[Tensor, Tensor]:
        """Labels of the training and of the held-out samples."""
        if self.train.labels is None or self.test.labels is None:
            raise UserError(
                "Expected labelled images for this evaluation, got a data set without labels; put the images into one "
                "folder a class, or choose evaluations that need no labels (evaluation=sparsity)."
            )
        if len(torch.unique(self.train.labels)) < 2:
            raise UserError("Expected at least 2 classes to tell apart, got one; add a folder for another class.")
        return self.train.labels, self.test.labels

    def settings(self) -> dict[str, float | str | int]:
        """Returns how Q was computed, for the result files."""
        return {
            "epsilon": self.epsilon,
            "formula": self.formula,
            "lower": self.lower,
            "upper": self.upper,
            "seed": self.seed,
        }
