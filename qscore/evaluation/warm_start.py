"""Whether training on has harmed an encoder: a few numbers on a fixed part of the training images, epoch by epoch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from qscore.data import ImageDataModule
from qscore.data.datamodule import Split
from qscore.data.split import held_out_split
from qscore.errors import UserError
from qscore.evaluation.collapse import feature_std, rank_me
from qscore.evaluation.inputs import EvaluationInputs
from qscore.evaluation.knn import knn
from qscore.records import Representations
from qscore.score import extract

SPLIT: Split = "train"
K = 20
KNN, RANK_ME, FEATURE_STD = METRICS = ("knn_top1", "rank_me", "feature_std")


@dataclass(frozen=True)
class Measurement:
    """The state of an encoder.

    Attributes:
        epoch: Finished epochs; 0 is before the first step.
        step: Optimizer steps until then.
        knn_top1: Share of the queries whose neighbours tell their class; None without labels.
        rank_me: See `rank_me`.
        feature_std: See `feature_std`.
    """

    epoch: int
    step: int
    knn_top1: float | None
    rank_me: float
    feature_std: float

    @property
    def ranked_by(self) -> str:
        """The metric that says which of several states is the best one."""
        return RANK_ME if self.knn_top1 is None else KNN

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that were measured, by name."""
        values = {KNN: self.knn_top1, RANK_ME: self.rank_me, FEATURE_STD: self.feature_std}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class FixedSubset:
    """The training images that are looked at every time.

    Attributes:
        positions: Of all of them in the data set.
        queries: Of the half whose neighbours are sought in the other half.
    """

    positions: np.ndarray
    queries: np.ndarray


def fixed_subset(labels: Tensor | None, num_images: int, *, of: int, seed: int) -> FixedSubset:
    """Returns `num_images` of `of` images, or all where there are no more; the same share of every class.

    Raises:
        UserError: If there are fewer than 2 images.
    """
    classes = None if labels is None else labels.numpy()
    positions = np.arange(of)
    if num_images < of:
        _, drawn = held_out_split(of, labels=classes, test_fraction=num_images / of, seed=seed)
        positions = drawn[:num_images]  # the fraction may have been rounded up
    chosen = None if classes is None else classes[positions]
    _, queries = held_out_split(len(positions), labels=chosen, test_fraction=0.5, seed=seed)
    return FixedSubset(positions, positions[queries])


def measure(
    encoder: nn.Module, data: ImageDataModule, subset: FixedSubset, *, epoch: int = 0, step: int = 0
) -> Measurement:
    """Returns the state of an encoder; kNN is left out where the subset has not two classes.

    Raises:
        UserError: If a representation is not finite.
    """
    seen = extract(encoder, data.plain_loader(SPLIT, subset.positions.tolist()), labels=data.source(SPLIT).labels)
    if not seen.h.isfinite().all():
        raise UserError(
            f"Expected finite representations, got NaN or infinity after epoch {epoch}: the encoder is lost. "
            "Start again with a lower learning rate or lambda; the best state so far is in best/ of the run directory."
        )
    is_query = torch.from_numpy(np.isin([int(position) for position in seen.ids], subset.queries))
    accuracy = _accuracy(_part(seen, ~is_query), _part(seen, is_query))
    return Measurement(epoch, step, accuracy, float(rank_me(seen.h)), float(feature_std(seen.h)))


def _accuracy(bank: Representations, queries: Representations) -> float | None:
    if bank.labels is None or len(torch.unique(bank.labels)) < 2 or not len(queries.h):
        return None
    return knn(EvaluationInputs(bank, queries), ks=(K,)).metrics[f"k{K}"]


def _part(representations: Representations, chosen: Tensor) -> Representations:
    labels = None if representations.labels is None else representations.labels[chosen]
    return Representations(representations.h[chosen], labels, (), representations.class_names, "")
