"""Representations with a known truth: which features belong to a class, and which samples are drowned in noise."""

import torch
from torch import Tensor

from qscore.records import Representations

NUM_CLASSES, PER_CLASS, NUM_UNIVERSAL, NUM_SPECIFIC, NUM_FEATURES = 20, 4, 8, 88, 256
CLASS_FEATURES = torch.zeros(NUM_FEATURES, dtype=torch.bool)
CLASS_FEATURES[: NUM_CLASSES * PER_CLASS] = True
UNIVERSAL = slice(NUM_CLASSES * PER_CLASS, NUM_CLASSES * PER_CLASS + NUM_UNIVERSAL)
SPECIFIC = slice(UNIVERSAL.stop, UNIVERSAL.stop + NUM_SPECIFIC)


def planted(num_samples: int, *, share_drowned: float = 0.0, seed: int = 0) -> tuple[Representations, Tensor]:
    """ReLU-like noise, 4 features of each class, 8 that most samples share, 88 that one sample in 100 shows.

    Returns:
        The representations, and True for the samples whose class features are lost in three times the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_samples) % NUM_CLASSES
    drowned = torch.rand(num_samples, generator=generator) < share_drowned
    h = torch.randn(num_samples, NUM_FEATURES, generator=generator).relu() * (0.05 + 0.1 * drowned)[:, None]
    own = labels[:, None] * PER_CLASS + torch.arange(PER_CLASS)
    strength = (0.8 + 0.4 * torch.rand(num_samples, PER_CLASS, generator=generator)) * ~drowned[:, None]
    h.scatter_add_(1, own, strength)
    h[:, UNIVERSAL] += (torch.rand(num_samples, NUM_UNIVERSAL, generator=generator) < 0.6) * 1.0 * ~drowned[:, None]
    h[:, SPECIFIC] += (torch.rand(num_samples, NUM_SPECIFIC, generator=generator) < 0.01) * 1.0
    names = tuple(f"class {c}" for c in range(NUM_CLASSES))
    return Representations(h, labels, tuple(map(str, range(num_samples))), names, f"planted{seed}"), drowned
