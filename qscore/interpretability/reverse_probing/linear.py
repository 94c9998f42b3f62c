"""The linear model from concepts to clusters, and the two ways to fit it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from tqdm import trange

from qscore.errors import UserError
from qscore.evaluation.logistic import by_lbfgs

ROWS = 4096
DELAY_S = 5  # of the progress bar: short fits stand in a bar of their own


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


@runtime_checkable
class Solver(Protocol):
    """Fits the linear model on one part of the samples and chooses by another."""

    def fit(
        self, train: Examples, validation: Examples, num_clusters: int, *, seed: int, device: torch.device | str
    ) -> LinearModel:
        """Returns the model with the lowest cross-entropy on `validation`."""


@dataclass(frozen=True)
class SGD:
    """The recipe of appendix C: for as much data as the paper's.

    The paper does not say which epoch it keeps; this keeps that of the lowest cross-entropy on the validation part.

    Attributes:
        learning_rate: Large, since inputs are binary and sparse; on little data it may diverge.
        momentum: Of the gradient.
        l2: Weight decay.
        batch_size: Samples a step.
        epochs: At most.
        milestones: Epochs after which the learning rate is divided by ten.
    """

    learning_rate: float = 3.5
    momentum: float = 0.9
    l2: float = 3e-6
    batch_size: int = 512
    epochs: int = 100
    milestones: tuple[int, ...] = (60, 80)

    def fit(
        self, train: Examples, validation: Examples, num_clusters: int, *, seed: int, device: torch.device | str
    ) -> LinearModel:
        """Returns the best epoch.

        Raises:
            UserError: If the loss is not finite in any epoch.
        """
        model = LinearModel(
            torch.zeros(train.present.shape[1], num_clusters, device=device, requires_grad=True),
            torch.zeros(num_clusters, device=device, requires_grad=True),
        )
        optimizer = torch.optim.SGD(
            [model.weights, model.bias], lr=self.learning_rate, momentum=self.momentum, weight_decay=self.l2
        )
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(self.milestones))
        generator = np.random.default_rng(seed)
        lowest, best = float("inf"), None
        for _ in trange(self.epochs, desc="Reverse probe", unit="epoch", leave=False, delay=DELAY_S):
            for batch, target in self._batches(train, generator):
                optimizer.zero_grad()
                loss = F.cross_entropy(model.logits(batch), torch.from_numpy(target).to(device))
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            schedule.step()
            reached = cross_entropy(model, validation)
            if reached < lowest:
                lowest, best = reached, LinearModel(model.weights.detach().clone(), model.bias.detach().clone())
        if best is None:
            raise UserError(
                f"Expected a finite loss of the reverse probe, got none with a learning rate of {self.learning_rate}; "
                "set a lower one, or solver=lbfgs."
            )
        return best

    def _batches(self, train: Examples, generator: np.random.Generator) -> Iterator[tuple[csr_array, np.ndarray]]:
        order = generator.permutation(len(train.clusters))
        present, clusters = train.present[order], train.clusters[order]
        for start in range(0, len(order), self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield present[rows], clusters[rows]


@dataclass(frozen=True)
class LBFGS:
    """Multinomial logistic regression to its optimum: for little data, where the paper's SGD overfits or diverges.

    Attributes:
        l2: Strengths of the penalty to choose from, as weight decay, from strong to weak. The weaker ones are left out
            once two in a row have not been better.
    """

    l2: Sequence[float] = field(default=(1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6))

    def fit(
        self, train: Examples, validation: Examples, num_clusters: int, *, seed: int, device: torch.device | str
    ) -> LinearModel:
        """Returns the best strength; nothing is random here."""
        x = torch.from_numpy(train.present.toarray().astype(np.float32)).to(device)
        target = torch.from_numpy(train.clusters).to(device)
        start, found, losses = None, list[LinearModel](), list[float]()
        for l2 in self.l2:
            start = by_lbfgs(x, target, num_clusters, 1 / (l2 * len(x)), start=start)
            w = torch.from_numpy(start if num_clusters > 2 else np.concatenate([0 * start, start])).float().to(device)
            found.append(LinearModel(w[:, :-1].T.contiguous(), w[:, -1]))
            losses.append(cross_entropy(found[-1], validation))
            if len(losses) - 1 - int(np.argmin(losses)) == 2:
                break
        return found[int(np.argmin(losses))]


def cross_entropy(model: LinearModel, examples: Examples) -> float:
    """Returns the mean of -ln q(cluster | concepts)."""
    own = model.log_posterior(examples.present)[np.arange(len(examples.clusters)), examples.clusters]
    return -float(own.mean(dtype=np.float64))
