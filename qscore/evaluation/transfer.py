"""How much a linear layer can read from the representations of other data sets (table A.1)."""

from collections.abc import Mapping

import numpy as np

from qscore.data import ImageDataModule
from qscore.errors import UserError
from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result
from qscore.score import cached_representations

NAME = "transfer"


def transfer(inputs: EvaluationInputs, *, datasets: Mapping[str, ImageDataModule]) -> Result:
    """Returns the accuracy of a linear probe on each of some data sets that the encoder was not trained on.

    The encoder stays as it is; a probe of `fit_probe` is fitted on the training images of each data set, its strength
    chosen among these, and measured on the held-out ones (table A.1 of Kalibhat et al., 2022, arXiv 2203.01881v2).
    Accuracy is top-1 throughout, where some papers report the mean over classes for some of the sets.

    Args:
        inputs: Of the encoder; of it, `pictures` and `seed` are used.
        datasets: Labelled images by name, at the size that the encoder was trained with.

    Raises:
        UserError: If no data set is named, one has no labels, or the inputs have no pictures.
    """
    if not datasets:
        raise UserError(
            "Expected data sets to transfer to, got none; name them with evaluation.transfer.datasets=[cifar10,FOLDER]."
        )
    if inputs.pictures is None:
        raise UserError("Expected an encoder to transfer, got representations alone; pass pictures=Pictures(...).")
    encoder, cache = inputs.pictures.encoder, inputs.pictures.cache
    top1, settings = {}, {}
    for name, data in datasets.items():
        train, test = (cached_representations(encoder, data, split, cache) for split in ("train", "test"))
        probe = EvaluationInputs(train, test, seed=inputs.seed).probe
        top1[name] = float(probe.correct.mean())
        settings[name] = {"num_train": len(train.h), "num_test": len(test.h), "C": probe.regularization}
    average = float(np.mean(list(top1.values())))
    return Result(
        evaluation=NAME,
        metrics={**{f"{name}/top1": value for name, value in top1.items()}, "average": average},
        settings={"datasets": settings, "image_size": inputs.pictures.data.image_size, "seed": inputs.seed},
        arrays={"datasets": np.array(list(top1), dtype=str), "top1": np.array(list(top1.values()))},
    )
