"""How well the nearest neighbours of a sample tell its class."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qscore.errors import UserError
from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result

NAME = "knn"
VOTES = 2**24  # numbers at a time


def knn(inputs: EvaluationInputs, *, ks: Sequence[int] = (200, 20), temperature: float = 0.07) -> Result:
    """Returns the accuracy of a weighted k-nearest-neighbour vote in cosine similarity, for each k.

    A neighbour's vote weighs exp(similarity / temperature) (Wu et al., 2018, arXiv 1805.01978, section 3.4; the
    values of k and the temperature are DINO's, arXiv 2104.14294, appendix). A k above the number of training
    samples becomes that number, and the result says so. One search serves every k.

    Raises:
        UserError: If the data has no labels, or one class only, or there is no k, or one below 1.
    """
    if not ks or min(ks) < 1:
        raise UserError(f"Expected numbers of neighbours from 1, got {list(ks)}; pass for example ks=[200,20].")
    train_labels, test_labels = inputs.labels
    num_train = len(train_labels)
    similarity, index = inputs.neighbours(max(ks))
    voters = train_labels[index]
    num_classes = int(train_labels.max()) + 1
    predictions = {k: weighted_vote(similarity[:, :k], voters[:, :k], num_classes, temperature) for k in ks}
    shortened = [k for k in ks if k > num_train]
    return Result(
        evaluation=NAME,
        metrics={f"k{k}": float((found == test_labels).double().mean()) for k, found in predictions.items()},
        settings={"ks": list(ks), "temperature": temperature, "similarity": "cosine", "num_train": num_train},
        arrays={f"predictions_k{k}": found.numpy() for k, found in predictions.items()},
        notes=tuple(f"k = {k} was shortened to the {num_train} training samples." for k in shortened),
    )


def weighted_vote(
    similarity: Float[Tensor, "sample k"], voters: Int[Tensor, "sample k"], num_classes: int, temperature: float
) -> Int[Tensor, " sample"]:
    """Returns the class with most votes, exp(similarity / temperature) a neighbour; the first of equals.

    Args:
        similarity: To each neighbour.
        voters: Its class.
        num_classes: Above every class.
        temperature: How much the nearest count more, above 0.

    >>> weighted_vote(torch.tensor([[0.9, 0.5, 0.5]]), torch.tensor([[1, 0, 0]]), 2, temperature=0.07)
    tensor([1])
    """
    rows = max(1, VOTES // num_classes)
    weights = ((similarity - similarity.amax(1, keepdim=True)) / temperature).exp()  # a row's common factor
    found = [
        torch.zeros(len(weight), num_classes, dtype=weight.dtype).scatter_add_(1, voter, weight).argmax(1)
        for weight, voter in zip(torch.split(weights, rows), torch.split(voters, rows), strict=True)
    ]
    return torch.cat(found)
