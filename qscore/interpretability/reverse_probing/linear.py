"""The linear model from concepts to clusters."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

ROWS = 4096  # at a time


@dataclass(frozen=True)
class LinearModel:
    """Softmax of a linear layer on binary concepts.

    Attributes:
        weights: theta of the paper: how much a concept speaks for a cluster.
        bias: Of each cluster.
    """

    weights: Float[Tensor, "concept cluster"]
    bias: Float[Tensor, " cluster"]

    def logits(self, present: csr_array) -> Float[Tensor, "sample cluster"]:
        """Returns the outputs: of each sample the sum of the weights of its concepts, and the bias."""
        device = self.weights.device
        indices, offsets = (
            torch.from_numpy(present.indices).to(device),
            torch.from_numpy(present.indptr[:-1]).to(device),
        )
        return F.embedding_bag(indices.long(), self.weights, offsets.long(), mode="sum") + self.bias

    @torch.no_grad()
    def log_posterior(self, present: csr_array) -> Float[np.ndarray, "sample cluster"]:
        """Returns ln q(cluster | concepts) of each sample, float32."""
        found = np.empty((present.shape[0], len(self.bias)), dtype=np.float32)
        for start in range(0, len(found), ROWS):
            found[start : start + ROWS] = self.logits(present[start : start + ROWS]).log_softmax(1).cpu().numpy()
        return found


@dataclass(frozen=True)
class Examples:
    """Concepts and clusters of some samples.

    Attributes:
        present: (sample, concept), bool, sparse.
        clusters: From 0.
    """

    present: csr_array
    clusters: Int[np.ndarray, " sample"]


def frequencies(train: Examples, num_clusters: int, device: torch.device | str) -> LinearModel:
    """Returns the model that knows no concept: how frequent each cluster is."""
    shares = np.bincount(train.clusters, minlength=num_clusters) / len(train.clusters)
    bias = torch.from_numpy(np.log(shares).astype(np.float32)).to(device)
    return LinearModel(torch.zeros(train.present.shape[1], num_clusters, device=device), bias)


def cross_entropy(model: LinearModel, examples: Examples) -> float:
    """Returns the mean of -ln q(cluster | concepts)."""
    own = model.log_posterior(examples.present)[np.arange(len(examples.clusters)), examples.clusters]
    return -float(own.mean(dtype=np.float64))
