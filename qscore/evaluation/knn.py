"""How well the nearest neighbours of a sample tell its class."""

from collections.abc import Sequence

import torch
from lightly.utils.benchmarking import knn_predict
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result

NAME = "knn"
CHUNK = 256


def knn(inputs: EvaluationInputs, *, ks: Sequence[int] = (200, 20), temperature: float = 0.07) -> Result:
    """Returns the accuracy of a weighted k-nearest-neighbour vote in cosine similarity, for each k.

    A neighbour's vote weighs exp(similarity / temperature) (Wu et al., 2018, arXiv 1805.01978, section 3.4; the
    values of k and the temperature are DINO's, arXiv 2104.14294, appendix). A k above the number of training
    samples becomes that number, and the result says so.

    Raises:
        UserError: If the data has no labels, or one class only.
    """
    train_labels, test_labels = inputs.labels
    num_train = len(train_labels)
    predictions = {k: _predict(inputs, train_labels, min(k, num_train), temperature) for k in ks}
    shortened = [k for k in ks if k > num_train]
    return Result(
        evaluation=NAME,
        metrics={f"k{k}": float((found == test_labels).double().mean()) for k, found in predictions.items()},
        settings={"ks": list(ks), "temperature": temperature, "similarity": "cosine", "num_train": num_train},
        arrays={f"predictions_k{k}": found.numpy() for k, found in predictions.items()},
        notes=tuple(f"k = {k} was shortened to the {num_train} training samples." for k in shortened),
    )


def _predict(inputs: EvaluationInputs, train_labels: Tensor, k: int, temperature: float) -> Tensor:
    bank = F.normalize(inputs.train.h, dim=1).T.contiguous()
    num_classes = int(train_labels.max()) + 1
    queries = torch.split(F.normalize(inputs.test.h, dim=1), CHUNK)
    votes = [knn_predict(chunk, bank, train_labels, num_classes, knn_k=k, knn_t=temperature) for chunk in queries]
    return torch.cat([vote[:, 0] for vote in votes])
