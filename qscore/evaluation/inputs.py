"""What every evaluation starts from, and the one linear probe that several of them look at."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qscore.errors import UserError
from qscore.evaluation.pictures import Pictures
from qscore.evaluation.probe import BUDGET_BYTES, Probe, fit_probe
from qscore.records import Representations
from qscore.score import DiscriminativeFeatures, empty_share, neighbours, q_score


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
        device: Where to compute; where the encoder of `pictures` is by default, or the CPU without.
        probe_bytes: Of training representations; the probe of more is fitted by SGD, see `fit_probe`.

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
    device: torch.device | str | None = None
    probe_bytes: int = BUDGET_BYTES
    _nearest: tuple[Tensor, Tensor] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        widths = self.train.h.shape[1], self.test.h.shape[1]
        if widths[0] != widths[1]:
            raise UserError(
                f"Expected train and test representations of one encoder, got {widths[0]} and {widths[1]} features."
            )
        if self.device is None:
            encoder = None if self.pictures is None else self.pictures.encoder
            self.device = torch.device("cpu") if encoder is None else next(encoder.parameters()).device

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
        features.update(self.train.h)
        return features

    @cached_property
    def discriminative(self) -> Bool[Tensor, " feature"]:
        """The set D, mined from the training images of this very encoder."""
        return self.mined.compute()

    @cached_property
    def test_q(self) -> Float[Tensor, " sample"]:
        """Q-Score of each held-out sample."""
        return q_score(self.test.h, self.discriminative, self.epsilon, formula=self.formula)

    @cached_property
    def test_empty_share(self) -> float:
        """Share of the held-out samples with an empty L ∩ D."""
        return empty_share(self.test.h, self.discriminative, self.epsilon)

    def neighbours(self, k: int) -> tuple[Float[Tensor, "sample k"], Int[Tensor, "sample k"]]:
        """Cosine similarity and position of the nearest training samples of each held-out one, see `neighbours`.

        Args:
            k: How many; all of the training samples where there are fewer. A search is kept for every smaller k.
        """
        k = min(k, len(self.train.h))
        if self._nearest is None or self._nearest[0].shape[1] < k:
            self._nearest = neighbours(self.test.h, self.train.h, k, device=self.device)
        similarity, index = self._nearest
        return similarity[:, :k], index[:, :k]

    @cached_property
    def probe(self) -> Probe:
        """The linear probe fitted on the training representations.

        Raises:
            UserError: If the data has no labels, or one class only.
        """
        train, test = self.labels
        return fit_probe(
            self.train.h.numpy(),
            train.numpy(),
            self.test.h.numpy(),
            test.numpy(),
            seed=self.seed,
            device=self.device or "cpu",
            budget_bytes=self.probe_bytes,
        )

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
