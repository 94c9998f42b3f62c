"""Representations and concepts of which it is known what the one says about the other."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from qscore.interpretability.reverse_probing.concepts import make_concepts
from qscore.records import Concepts


def xor_blobs(num: int = 400) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Fig. 2: four blobs at the corners of a square; colour is the XOR of its sides, shape is one of them."""
    corner = np.arange(num) % 4
    sides = np.stack([corner // 2, corner % 2], 1)
    h = torch.from_numpy(10.0 * sides + np.random.default_rng(0).normal(size=(num, 2))).float()
    return h, sides[:, 0] ^ sides[:, 1], sides[:, 0]


def digits() -> tuple[Tensor, np.ndarray]:
    """The 1797 digits of scikit-learn, 64 pixels in [0, 1], and which digit each is."""
    pixels, labels = load_digits(return_X_y=True)
    return torch.from_numpy(pixels / 16).float(), labels


def network(x: Tensor, labels: np.ndarray, seed: int, steps: int) -> Tensor:
    """The last of three hidden layers, trained on every second sample; in 0 steps that before training."""
    torch.manual_seed(seed)
    encoder = nn.Sequential(*(part for _ in range(3) for part in (nn.Linear(64, 64), nn.ReLU())))
    head, target = nn.Linear(64, 10), torch.from_numpy(labels)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(head(encoder(x[::2])), target[::2]).backward()
        optimizer.step()
    return encoder(x).detach()


def one_hot(codes: np.ndarray, group: str, num: int | None = None) -> Concepts:
    """Concepts "0", "1", ... of which each sample has one."""
    num = num or int(codes.max()) + 1
    names = [str(code) for code in range(num)]
    return make_concepts(np.eye(num, dtype=bool)[codes], names, group, [str(i) for i in range(len(codes))])


def random_concepts(num_samples: int, num_concepts: int, *, group: str = "noise", seed: int = 0) -> Concepts:
    """Concepts that have nothing to do with anything; some samples have none."""
    present = np.random.default_rng((seed, 7)).random((num_samples, num_concepts)) < 0.2
    names = [f"word {i}" for i in range(num_concepts)]
    return make_concepts(present, names, group, [str(i) for i in range(num_samples)])
