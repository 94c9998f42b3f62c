"""The linear model from concepts to clusters, and the two ways to fit it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

    The paper does not say where it begins and which epoch it keeps. This begins at the frequencies of the clusters, and
    keeps the epoch, none included, of the lowest cross-entropy on the validation part.

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
            UserError: If the loss is no number at the end.
        """
        best = frequencies(train, num_clusters, device)
        lowest = cross_entropy(best, validation)
        model = LinearModel(best.weights.clone().requires_grad_(), best.bias.clone().requires_grad_())
        optimizer = torch.optim.SGD(
            [model.weights, model.bias], lr=self.learning_rate, momentum=self.momentum, weight_decay=self.l2
        )
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(self.milestones))
        generator = np.random.default_rng(seed)
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
        if not np.isfinite(reached):
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
        gradient_tolerance: Largest entry of the gradient at an optimum.
    """

    l2: Sequence[float] = tuple(10.0 ** (-half / 2) for half in range(2, 13))
    gradient_tolerance: float = 1e-4

    def fit(
        self, train: Examples, validation: Examples, num_clusters: int, *, seed: int, device: torch.device | str
    ) -> LinearModel:
        """Returns the best strength, or the frequencies of the clusters where none is better; nothing is random."""
        x = torch.from_numpy(train.present.toarray().astype(np.float32)).to(device)
        target = torch.from_numpy(train.clusters).to(device)
        found = [frequencies(train, num_clusters, device)]
        losses = [cross_entropy(found[0], validation)]
        w = _as_output(found[0])
        for l2 in self.l2:
            c = 1 / (l2 * len(x))
            w = by_lbfgs(x, target, num_clusters, c, start=w, gradient_tolerance=self.gradient_tolerance)
            found.append(_as_model(w, device))
            losses.append(cross_entropy(found[-1], validation))
            if len(losses) - 1 - int(np.argmin(losses)) == 2 and len(losses) > 4:
                break
        return found[int(np.argmin(losses))]


def frequencies(train: Examples, num_clusters: int, device: torch.device | str) -> LinearModel:
    """Returns the model that knows no concept: how frequent each cluster is."""
    shares = np.bincount(train.clusters, minlength=num_clusters) / len(train.clusters)
    bias = torch.from_numpy(np.log(shares).astype(np.float32)).to(device)
    return LinearModel(torch.zeros(train.present.shape[1], num_clusters, device=device), bias)


def _as_output(model: LinearModel) -> np.ndarray:
    """In the form of `by_lbfgs`: (output, concept + 1), the difference alone of two clusters."""
    w = torch.cat([model.weights.T, model.bias[:, None]], 1).double().cpu().numpy()
    return w if len(w) > 2 else w[1:] - w[:1]


def _as_model(w: np.ndarray, device: torch.device | str) -> LinearModel:
    both = torch.from_numpy(w if len(w) > 1 else np.concatenate([0 * w, w])).float().to(device)
    return LinearModel(both[:, :-1].T.contiguous(), both[:, -1].contiguous())


def cross_entropy(model: LinearModel, examples: Examples) -> float:
    """Returns the mean of -ln q(cluster | concepts)."""
    own = model.log_posterior(examples.present)[np.arange(len(examples.clusters)), examples.clusters]
    return -float(own.mean(dtype=np.float64))
