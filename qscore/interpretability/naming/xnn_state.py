"""The state of a training of explanation networks; see `fit_xnn`."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qscore.interpretability.naming.xnn import MIN_ACTIVE_SHARE, XNN, pull_away
from qscore.interpretability.naming.xnn_training import XNNTraining

RIDGE = 1e-3
START_NOISE = 0.5  # of each direction, beside that of the linear fit
NUM_NEGATIVE = 0.4  # share of features that start as evidence against the class
REVIVE_EVERY, REVIVE_UNTIL = 50, 0.6  # steps, and a share of all steps
MAX_POLISHES, POLISH_SHARE, POLISH_RATE = 6, 0.15, 0.4
ALIVE = 2 * MIN_ACTIVE_SHARE  # so that a feature lives on held-out samples as well
LOWER, RAISE, AT_DEATH = 0.97, 1.03, 0.5
MOMENTUM = 0.9
ROWS_AT_ONCE = 4096  # all rows by 1000 classes of 5 X-features would be 26 GB on ImageNet


class XNNFit:
    """Parameters of all classes, their optimizer, and the share of its weights that each class may have.

    Args:
        h: (sample, feature).
        scores: (sample, class), each of which varies.
        training: How.
    """

    embedding: Tensor
    bias: Tensor
    coefficients: Tensor
    intercepts: Tensor

    def __init__(
        self, h: Float[Tensor, "sample feature"], scores: Float[Tensor, "sample class"], training: XNNTraining
    ) -> None:
        self.training, self.num_revived = training, 0
        self.generator = torch.Generator().manual_seed(training.seed)
        self.scale = h.square().mean().sqrt()
        self.mean, self.deviation = scores.mean(0), scores.std(0)
        self.h, self.targets = h / self.scale, (scores - self.mean) / self.deviation
        self.allowed = (training.tolerance * (scores.amax() - scores.amin()) / self.deviation).square()
        self.share = torch.ones_like(self.mean)
        self.error = torch.zeros_like(self.mean)
        self._start()
        self.parameters = [self.embedding, self.bias, self.coefficients, self.intercepts]
        if training.sparsity == "reconstruction":
            self.decoder = torch.zeros(*self.embedding.shape, device=h.device, requires_grad=True)
            self.parameters.append(self.decoder)
        self.optimizer = torch.optim.Adam(self.parameters, training.learning_rate)

    def run(self) -> None:
        """Takes all steps; at the end classes that are unfaithful, or lost a feature, go on without any other aim."""
        num = self.training.num_steps
        self._phase(num, self.training.learning_rate, revive_until=REVIVE_UNTIL * num)
        for polish in range(MAX_POLISHES):
            unfinished = self._revive() | (self.error > self.allowed)
            if not unfinished.any():
                break
            self.share = self.share * ~unfinished
            # Ever more gently, so that what was started anew lives on.
            self._phase(max(2, round(POLISH_SHARE * num)), self.training.learning_rate * POLISH_RATE ** (polish + 1))

    def _phase(self, num_steps: int, rate: float, *, revive_until: float = 0) -> None:
        schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, rate, total_steps=num_steps, pct_start=0.05)
        for step in range(1, num_steps + 1):
            self._step()
            schedule.step()
            if step % REVIVE_EVERY == 0 and step <= revive_until:
                self._revive()

    def xnn(self) -> XNN:
        """Returns the networks, for activations and scores as they came."""
        return XNN(
            self.embedding.detach() / self.scale,
            self.bias.detach().clone(),
            self.coefficients.detach() * self.deviation[:, None],
            self.intercepts.detach() * self.deviation + self.mean,
        )

    def _start(self) -> None:
        num, count = self.targets.shape[1], self.training.num_features
        signs = torch.ones(count, device=self.h.device)
        signs[count - round(NUM_NEGATIVE * count) :] = -1
        direction = self._linear(self.targets)[:, None, :] * signs[:, None]
        noise = torch.randn(num, count, self.h.shape[1], generator=self.generator).to(self.h)
        size = direction.norm(dim=2, keepdim=True) / self.h.shape[1] ** 0.5
        self.embedding = (direction + START_NOISE * size * noise).requires_grad_()
        self.bias = (0.5 - self.embedding.detach() @ self.h.mean(0)).requires_grad_()
        self.coefficients = (2 / count * signs).repeat(num, 1).requires_grad_()
        self.intercepts = torch.zeros(num, device=self.h.device, requires_grad=True)

    def _linear(self, targets: Float[Tensor, "sample target"]) -> Float[Tensor, "target feature"]:
        centred = self.h - self.h.mean(0)
        gram = centred.T @ centred + RIDGE * len(centred) * torch.eye(centred.shape[1], device=centred.device)
        slopes: Tensor = torch.linalg.solve(gram, centred.T @ (targets - targets.mean(0)))
        return slopes.transpose(0, 1)

    def _features(self, h: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample class x"]:
        return ((h @ self.embedding.flatten(0, 1).T).view(len(h), *self.bias.shape) + self.bias).relu()

    def _step(self) -> None:
        rows = torch.randint(len(self.h), (self.training.batch_size,), generator=self.generator).to(self.h.device)
        h, x = self.h[rows], self._features(self.h[rows])
        error = ((x * self.coefficients).sum(2) + self.intercepts - self.targets[rows]).square().mean(0)
        self.error = torch.where(self.error == 0, error, MOMENTUM * self.error + (1 - MOMENTUM) * error).detach()
        self.share = (self.share * torch.where(self.error > self.allowed, LOWER, RAISE)).clamp(max=1)
        wanted = self.training.sparsity_weight * self._sparsity(h, x)
        wanted = wanted + self.training.orthogonality_weight * pull_away(x, x.detach().amax(0) > 0)
        self.optimizer.zero_grad()
        (error + self.share * wanted).sum().backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def _sparsity(self, h: Float[Tensor, "sample feature"], x: Float[Tensor, "sample class x"]) -> Tensor:
        if self.training.sparsity == "l1":
            return (x * self.coefficients.abs()).mean(0).sum(1)
        errors = (torch.einsum("nck,ckf->ncf", x, self.decoder) - h[:, None]).square().mean(0)
        return (self.training.reconstruction_scale * errors).log1p().sum(1)

    @torch.no_grad()
    def _revive(self) -> Bool[Tensor, " class"]:
        """Starts dead features anew, along what is left of the score; returns the classes that had any."""
        num_active = torch.zeros_like(self.bias)
        for h in torch.split(self.h, ROWS_AT_ONCE):
            num_active += (self._features(h) > 0).sum(0)
        dead = num_active / len(self.h) < ALIVE
        had_any = dead.any(1)
        if had_any.any():
            slopes = self._linear(self._left(had_any))
            projected = self.h @ slopes.T
            size, mean = projected.std(0).clamp(min=1e-6), projected.mean(0)
            row = had_any.cumsum(0) - 1  # of a class among those with dead features
            for place, (c, k) in enumerate(torch.nonzero(dead).tolist(), start=self.num_revived):
                sign, r = 1 - 2 * (place % 2), int(row[c])
                self.embedding[c, k] = sign * slopes[r] / size[r]
                self.bias[c, k] = 0.5 - sign * mean[r] / size[r]
                self.coefficients[c, k] = 0.1 * sign * size[r]
            self.num_revived += int(dead.sum())
            self.share = torch.where(had_any, AT_DEATH * self.share, self.share)
        return had_any

    def _left(self, classes: Bool[Tensor, " class"]) -> Float[Tensor, "sample some"]:
        """What is left of the scores of some classes."""
        left = self.targets[:, classes] - self.intercepts[classes]
        for start in range(0, len(left), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            left[rows] -= (self._features(self.h[rows]) * self.coefficients).sum(2)[:, classes]
        return left
