"""Q, counts and the probe against what they replace: what is timed, the ratios, and which goals they meet."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from lightly.utils.benchmarking import LinearClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torchvision.models import resnet18

from benchmarks.harness import interleaved, ratio
from benchmarks.made import Gate, Sizes, clouds, features, gate
from qscore.evaluation.logistic import CLOSE, by_lbfgs
from qscore.evaluation.probe import REGULARIZATION_PATH, fit_probe
from qscore.score import dominance_counts, q_score

EPSILON = 2.0


def c4_q_term(s: Sizes, rounds: int) -> Gate:
    """Q and its gradient over a batch, against a loop over its samples."""
    h, kept = features(s.batch, s.features), torch.arange(s.features) % 2 == 0

    def loop() -> None:
        leaf, total = h.clone().requires_grad_(), torch.zeros(())
        for row in leaf:
            active = (row > row.mean() + EPSILON * row.std(correction=0)) & kept
            if active.any():
                total = total + row[active].mean() / row.abs().sum()
        total.backward()

    times = interleaved({"ours": lambda: _backward(h, kept), "loop": loop}, rounds)
    return gate(times, {"loop / ours": (ratio(times, "loop", "ours"), 10, None)})


def c5_counts(s: Sizes, rounds: int) -> Gate:
    """Dominance counts, against loops over the samples in torch and in numpy."""
    h = features(s.counted, s.features)

    def loop(rows: Tensor | np.ndarray, deviation: Callable[[Tensor | np.ndarray], float]) -> Tensor | np.ndarray:
        return sum(row > row.mean() + EPSILON * deviation(row) for row in rows) + 0 * (rows[0] > 0)

    times = interleaved(
        {
            "ours": lambda: dominance_counts(h, EPSILON),
            "torch_loop": lambda: loop(h, lambda row: row.std(correction=0)),
            "numpy_loop": lambda: loop(h.numpy(), lambda row: row.std()),
        },
        rounds,
    )
    goals = {
        "torch_loop / ours": (ratio(times, "torch_loop", "ours"), 12, None),
        "numpy_loop / ours": (ratio(times, "numpy_loop", "ours"), 6, None),
    }
    return gate(times, goals)


def c7_cached_features(s: Sizes, rounds: int) -> Gate:
    """Features once and the whole probe, against 90 epochs through lightly's classifier (one is timed, times 90)."""
    encoder, images = resnet18(), torch.rand(s.images, 3, 64, 64)
    encoder.fc = torch.nn.Identity()
    labels = torch.arange(s.images) % s.classes
    model = LinearClassifier(encoder.eval(), 32, feature_dim=512, num_classes=s.classes, topk=(1,))
    sgd = torch.optim.SGD(model.get_trainable_parameters(), lr=0.1, momentum=0.9)

    def epoch() -> None:
        for part in torch.split(torch.randperm(s.images), 32):
            sgd.zero_grad()
            F.cross_entropy(model(images[part]), labels[part]).backward()
            sgd.step()

    def cached() -> None:
        with torch.no_grad():
            h = torch.cat([encoder(part) for part in torch.split(images, 32)]).numpy()
        fit_probe(h, labels.numpy(), h, labels.numpy())

    times = interleaved({"ours": cached, "one_epoch": epoch}, min(rounds, 3), warm=False)
    times["ninety_epochs"] = [90 * seconds for seconds in times["one_epoch"]]
    return gate(times, {"ninety_epochs / ours": (ratio(times, "ninety_epochs", "ours"), 50, None)})


def c8_probe_path(s: Sizes, rounds: int) -> Gate:
    """Nine strengths of the probe, against nine cold fits of scikit-learn and 90 epochs of SGD on the same features."""
    x, y = clouds(s.probed, s)
    test_x, test_y = clouds(2000, s, seed=1)
    best: dict[str, float] = {}

    def record(name: str, weights: list[np.ndarray]) -> None:
        logits = [test_x.numpy() @ w[:, :-1].T + w[:, -1] for w in weights]
        best[name] = float(max((z.argmax(1) == test_y.numpy()).mean() for z in logits))

    def ours() -> None:
        path: list[np.ndarray] = []
        for c in REGULARIZATION_PATH:
            start = path[-1] if path else None
            path.append(by_lbfgs(x, y, s.classes, c, start=start, gradient_tolerance=CLOSE))
        record("ours", path)

    def cold(dtype: type) -> None:
        h = x.numpy().astype(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fits = [LogisticRegression(C=c, max_iter=1000).fit(h, y.numpy()) for c in REGULARIZATION_PATH]
        record("scikit_learn", [np.c_[fit.coef_, fit.intercept_] for fit in fits])

    times = interleaved(
        {
            "ours": ours,
            "scikit_learn": lambda: cold(np.float64),
            "scikit_learn_float32": lambda: cold(np.float32),
            "sgd": lambda: record("sgd", [_sgd_90(x, y, s.classes)]),
        },
        rounds,
    )
    goals = {
        "scikit_learn / ours": (ratio(times, "scikit_learn", "ours"), 1.2, None),
        "scikit_learn_float32 / ours": (ratio(times, "scikit_learn_float32", "ours"), 1.2, None),
        "ours / sgd": (ratio(times, "ours", "sgd"), None, 1.6),
    }
    return gate(times, goals) | {"best_accuracy": best}


def _backward(h: Tensor, kept: Tensor) -> None:
    leaf = h.clone().requires_grad_()
    q_score(leaf, kept, EPSILON).sum().backward()


def _sgd_90(x: Tensor, y: Tensor, num_classes: int) -> np.ndarray:
    linear = torch.nn.Linear(x.shape[1], num_classes)
    sgd = torch.optim.SGD(linear.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 90)
    for _ in range(90):
        for rows in torch.split(torch.randperm(len(x)), 256):
            sgd.zero_grad()
            F.cross_entropy(linear(x[rows]), y[rows]).backward()
            sgd.step()
        schedule.step()
    return torch.cat([linear.weight, linear.bias[:, None]], 1).detach().numpy()
