"""Multinomial logistic regression with an L2 penalty: to the optimum where the features fit, else by SGD.

Both minimise the objective of scikit-learn, in its units: mean cross-entropy + ||W||² / (2 C n), without penalty on the
intercepts; two classes have one output.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from qscore.evaluation.linear import Standardisation

MAX_ITERATIONS = 1000
CLOSE, OPTIMUM = 1e-4, 1e-5  # largest entry of the gradient at the end; the first is scikit-learn's default
CPU_ROWS, GPU_ROWS = 1024, 65_536
EPOCHS, BATCH, MOMENTUM = 10, 512, 0.9
RUN, POOL = 256, 65_536  # consecutive rows that are read at once, and rows that are shuffled together


def by_lbfgs(
    x: Tensor,
    targets: Tensor,
    num_classes: int,
    c: float,
    *,
    start: np.ndarray | None = None,
    gradient_tolerance: float = OPTIMUM,
) -> np.ndarray:
    """Returns the optimum, (output, feature + 1) with the intercepts last, by L-BFGS from `start` or from zeros.

    Products are in float32 on the device of `x`, sums in float64.

    Args:
        x: (sample, feature), standardised, float32.
        targets: Class of each sample, from 0.
        num_classes: At least 2.
        c: Inverse strength of the penalty.
        start: Where to begin: the optimum at a near strength saves iterations.
        gradient_tolerance: Largest entry of the gradient at the end. Rounding to float32 shows below 1e-5.
    """
    shape = (num_outputs(num_classes), x.shape[1] + 1)
    rows = CPU_ROWS if x.device.type == "cpu" else GPU_ROWS
    parts = list(zip(torch.split(x, rows), torch.split(targets, rows), strict=True))

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = torch.from_numpy(flat.reshape(shape)).to(x)
        loss = torch.zeros((), dtype=torch.float64, device=x.device)
        gradient = torch.zeros(shape, dtype=torch.float64, device=x.device)
        for part, target in parts:
            part_loss, residual = _cross_entropy(torch.addmm(w[:, -1:], w[:, :-1], part.T)[None], target)
            loss += part_loss.sum()
            gradient[:, :-1] += residual[0] @ part
            gradient[:, -1] += residual[0].sum(1)
        penalised = flat.reshape(shape) * (np.arange(shape[1]) < shape[1] - 1) / (c * len(x))
        value = float(loss) / len(x) + float((penalised * flat.reshape(shape)).sum()) / 2
        return value, (gradient.cpu().numpy() / len(x) + penalised).ravel()

    options = {"maxiter": MAX_ITERATIONS, "maxls": 50, "gtol": gradient_tolerance, "ftol": 64 * np.finfo(float).eps}
    first = np.zeros(shape) if start is None else start
    return np.asarray(minimize(objective, first.ravel(), jac=True, method="L-BFGS-B", options=options).x).reshape(shape)


def by_sgd(
    h: Tensor,
    targets: Tensor,
    rows: Tensor,
    scaling: Standardisation,
    strengths: Sequence[float],
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Returns a solution for each C, (strength, output, feature + 1), all by the same passes of mini-batch SGD.

    Reads `h` once an epoch, in shuffled runs of consecutive rows, and never holds more than 65,536 of them. The step is
    1 / L at first, L the curvature along the largest principal component of the first rows, and falls as a cosine.

    Args:
        h: (sample, feature), as extracted; may be mapped from a file.
        targets: Class of every sample of `h`, from 0.
        rows: Positions to fit on, ascending.
        scaling: How to standardise.
        strengths: Values of C.
        seed: Of the order.
        device: Where to compute.
    """
    generator = torch.Generator().manual_seed(seed)
    classes, num = int(targets.max()) + 1, len(rows)
    w = torch.zeros(len(strengths), num_outputs(classes), h.shape[1] + 1, device=device)
    velocity = torch.zeros_like(w)
    decay = torch.tensor([1 / (c * num) for c in strengths], device=device)[:, None, None]
    sample = scaling.of_rows(h, rows[torch.randperm(num, generator=generator)[:4096]])
    curvature = float(torch.linalg.matrix_norm(sample, 2) ** 2 / len(sample)) / 2 + float(decay.max())
    step, steps = 0, EPOCHS * sum(-(-len(pool) // BATCH) for pool in _pools(rows, generator))
    for _ in range(EPOCHS):
        for pool in _pools(rows, generator):
            x, target = scaling.of_rows(h, pool).to(device), targets[pool].to(device)
            for batch in torch.split(torch.randperm(len(pool), generator=generator).to(device), BATCH):
                rate = (1 + np.cos(np.pi * step / steps)) / 2 / curvature
                gradient = _gradient(w, x[batch], target[batch])
                gradient[..., :-1] += decay * w[..., :-1]
                velocity.mul_(MOMENTUM).add_(gradient)
                w -= rate * (gradient + MOMENTUM * velocity)
                step += 1
    return w.double().cpu().numpy()


def num_outputs(num_classes: int) -> int:
    """Returns 1 for two classes, else their number."""
    return num_classes if num_classes > 2 else 1


def _gradient(w: Tensor, x: Tensor, target: Tensor) -> Tensor:
    z = (w[..., :-1].flatten(0, 1) @ x.T).view(*w.shape[:2], len(x)) + w[..., -1:]
    residual = _cross_entropy(z, target)[1]
    summed = (residual.flatten(0, 1) @ x).view(*w.shape[:2], -1)
    return torch.cat([summed, residual.sum(2, keepdim=True)], 2) / len(x)


def _cross_entropy(z: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Sum over samples and derivative by the outputs, of z (strength, output, sample)."""
    num_free = z.shape[1]
    if num_free == 1:
        z = torch.cat([torch.zeros_like(z), z], 1)
    log_p, index = z.log_softmax(1), target.expand(len(z), 1, -1)
    loss = -log_p.gather(1, index).sum((1, 2), dtype=torch.float64)
    residual = log_p.exp_().scatter_add_(1, index, torch.full_like(z[:, :1], -1.0))
    return loss, residual[:, -num_free:]


def _pools(rows: Tensor, generator: torch.Generator) -> list[Tensor]:
    runs = torch.split(rows, RUN)
    order = torch.randperm(len(runs), generator=generator).tolist()
    size = POOL // RUN
    return [torch.cat([runs[i] for i in order[start : start + size]]) for start in range(0, len(order), size)]
