"""Dominant features (Kalibhat et al., 2022, arXiv 2203.01881v2, section 3), and how many samples each one is so for."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qscore.score.chunks import NUMBERS, by_rows

IN_CACHE = 2**17  # numbers that, in float64, stay in a core's cache
MAX_ROWS = 255  # a sum over more would not fit into a byte
UNIT = 2.0**-52


def dominant_features(h: Float[Tensor, "sample feature"], epsilon: float = 4.0) -> Bool[Tensor, "sample feature"]:
    """Returns, for each sample, the set L of features that stand out from its other features.

    L_i = {j : h_ij > mu_i + epsilon sigma_i}, with the mean and the population standard deviation over the
    features of sample i (eq. 2 of Kalibhat et al., 2022, arXiv 2203.01881v2). By the one-sided Chebyshev
    inequality L_i holds fewer than 1 / (1 + epsilon²) of the features, so it is empty for r <= 1 + epsilon².

    Args:
        h: Representations, any floating type; compared in float64 where the device has it, so that the
            rounding of a mean never makes a constant vector dominant.
        epsilon: Standard deviations above the mean; the paper's 4 by default.

    Returns:
        True where the feature is dominant for the sample.

    >>> h = torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    >>> dominant_features(h, epsilon=1.5)
    tensor([[False, False, False, False,  True],
            [False, False, False, False, False]])
    """
    return by_rows(lambda part: _in_two_passes(part, epsilon), h.detach())


def _in_two_passes(h: Float[Tensor, "sample feature"], epsilon: float) -> Bool[Tensor, "sample feature"]:
    exact = h.to(torch.float32 if h.device.type == "mps" else torch.float64)
    mean = exact.mean(-1, keepdim=True)
    deviation = (exact - mean).square().mean(-1, keepdim=True).sqrt()  # half the time of `std`
    return exact > mean + epsilon * deviation


@torch.no_grad()
def dominance_counts(h: Float[Tensor, "sample feature"], epsilon: float = 4.0) -> Int[Tensor, " feature"]:
    """Returns for how many samples each feature is dominant, exactly `dominant_features(h, epsilon).sum(0)`.

    Reads `h` once, in chunks, so that it may be mapped from a file that is larger than memory.

    >>> dominance_counts(torch.tensor([[9.0, 0, 0, 0, 0], [0, 9.0, 0, 0, 0], [0, 9.0, 0, 0, 0]]), epsilon=1.5)
    tensor([1, 2, 0, 0, 0])
    """
    counts = torch.zeros(h.shape[1], dtype=torch.long, device=h.device)
    if h.device.type != "cpu" or h.dtype == torch.float64:
        for part in torch.split(h, max(1, NUMBERS * 16 // h.shape[1])):
            counts += dominant_features(part, epsilon).sum(0)
        return counts
    for part in torch.split(h, max(1, min(MAX_ROWS, IN_CACHE // h.shape[1]))):
        counts += _by_moments(part, epsilon).view(torch.uint8).sum(0, dtype=torch.uint8)
    return counts


def _by_moments(h: Tensor, epsilon: float) -> Bool[Tensor, "sample feature"]:
    """`dominant_features` from sums and sums of squares.

    Sums of squares lose digits where the mean is large beside the deviation. The loss is bounded: where a number of the
    precision of `h` lies so near the threshold that the loss could matter, the row is compared anew with two passes.
    """
    exact, num = h.double(), h.shape[1]
    mean = exact.sum(1, keepdim=True) / num
    square = torch.linalg.vector_norm(exact, dim=1, keepdim=True).square() / num
    deviation = (square - mean.square()).clamp_min(0).sqrt()
    threshold = mean + epsilon * deviation
    unit = 4 * (num + 4) * UNIT  # relative error of sums in any order, of both ways, twice over
    loss = torch.minimum((unit * square).sqrt(), unit * square / deviation)
    margin = abs(epsilon) * loss + (1 + abs(epsilon)) * unit * square.sqrt()
    dominant: Tensor = exact > threshold
    unsure = ((threshold.to(h.dtype).double() - threshold).abs() < margin).flatten()
    if unsure.any():
        dominant[unsure] = dominant_features(h[unsure], epsilon)
    return dominant
