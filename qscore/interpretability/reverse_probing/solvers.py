"""The two ways to fit the linear model: the paper's SGD, and L-BFGS for little data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from scipy.sparse import csr_array
from torch.nn import functional as F  # noqa: N812
from tqdm import trange

from qscore.errors import UserError
from qscore.evaluation.logistic import by_lbfgs
from qscore.interpretability.reverse_probing.linear import Examples, LinearModel, cross_entropy, frequencies

DELAY_S = 5  # of the progress bar: short fits stand in a bar of their own
LEAST_STRENGTHS = 4  # of the penalty, before the frequencies alone are taken to be the best


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
            if len(losses) - 1 - int(np.argmin(losses)) >= 2 and len(losses) > LEAST_STRENGTHS:
                break
        return found[int(np.argmin(losses))]


def _as_output(model: LinearModel) -> np.ndarray:
    """In the form of `by_lbfgs`: (output, concept + 1), the difference alone of two clusters."""
    w = torch.cat([model.weights.T, model.bias[:, None]], 1).double().cpu().numpy()
    return w if len(w) > 2 else w[1:] - w[:1]


def _as_model(w: np.ndarray, device: torch.device | str) -> LinearModel:
    both = torch.from_numpy(w if len(w) > 1 else np.concatenate([0 * w, w])).float().to(device)
    return LinearModel(both[:, :-1].T.contiguous(), both[:, -1].contiguous())
