"""Representations of known structure: features for single samples, for single classes, for everything, for nothing."""

import torch

from qscore.evaluation import EvaluationInputs
from qscore.records import Representations

NUM_CLASSES, PER_CLASS = 10, 4
NUM_SINGLE, NUM_SPECIFIC, NUM_GENERAL, NUM_SILENT = 44, NUM_CLASSES * PER_CLASS, 5, 11
SINGLE = slice(0, NUM_SINGLE)
SPECIFIC = slice(NUM_SINGLE, NUM_SINGLE + NUM_SPECIFIC)
GENERAL = slice(SPECIFIC.stop, SPECIFIC.stop + NUM_GENERAL)
NUM_FEATURES = NUM_SINGLE + NUM_SPECIFIC + NUM_GENERAL + NUM_SILENT
EPSILON = 2.0


def planted(num_samples: int, seed: int) -> Representations:
    """Each feature of a class fires for half of its samples, so some samples show nothing of their class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_samples) % NUM_CLASSES
    h = 0.2 * torch.rand(num_samples, NUM_FEATURES, generator=generator)
    h[torch.randperm(num_samples, generator=generator)[:NUM_SINGLE], torch.arange(NUM_SINGLE)] += 3.0
    own = torch.arange(NUM_SPECIFIC) // PER_CLASS == labels[:, None]
    h[:, SPECIFIC] += 3.0 * (own & (torch.rand(num_samples, NUM_SPECIFIC, generator=generator) < 0.5))
    h[:, GENERAL] += 4.0
    names = tuple(f"class {c}" for c in range(NUM_CLASSES))
    return Representations(h, labels, tuple(map(str, range(num_samples))), names, f"planted{seed}")


def planted_inputs() -> EvaluationInputs:
    return EvaluationInputs(planted(600, 0), planted(300, 1), epsilon=EPSILON)
