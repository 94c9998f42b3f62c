"""Other scores of a sample: what Q-Score must beat without labels, and what a classifier with labels can do.

Every function returns the quantity that it is named after. Whether a high value speaks for a sample or against it is
said by `RIVALS` and `CEILINGS`, fixed by each score's source before anything was measured.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from qscore.score.dominance import dominant_features
from qscore.score.kmeans import kmeans

MAX_CLUSTERED = 50_000
TINY = 1e-12

RIVALS = {
    "l1_norm": 1,
    "l2_norm": 1,
    "max_feature": 1,
    "hoyer": 1,
    "gini": 1,
    "knn_distance_k1": -1,
    "knn_distance_k10": -1,
    "knn_distance_k50": -1,
    "prototype_entropy": -1,
    "prototype_margin": 1,
    "local_intrinsic_dimension": -1,
    "view_consistency": 1,
    "num_dominant": 1,
    "first_version": 1,
    "feature_zscore": 1,
}
CEILINGS = {"max_softmax": 1, "softmax_margin": 1, "softmax_entropy": -1, "energy": -1, "knn_agreement": 1}


def l1_norm(h: Float[Tensor, "sample feature"]) -> Float[Tensor, " sample"]:
    """Returns ||h||_1; a small norm marks an unexpected sample (Draganov et al., ICML 2025, arXiv 2502.09252)."""
    return h.abs().sum(1)


def l2_norm(h: Float[Tensor, "sample feature"]) -> Float[Tensor, " sample"]:
    """Returns ||h||_2; see `l1_norm` (also Park et al., ICCV 2023, arXiv 2310.05316)."""
    return h.square().sum(1).sqrt()


def max_feature(h: Float[Tensor, "sample feature"]) -> Float[Tensor, " sample"]:
    """Returns the largest feature."""
    return h.amax(1)


def hoyer(h: Float[Tensor, "sample feature"]) -> Float[Tensor, " sample"]:
    """Returns (sqrt r - |h|_1 / |h|_2) / (sqrt r - 1): 0 for equal magnitudes, 1 for a single feature, 0 for none.

    Hoyer, JMLR 2004; Hurley and Rickard, 2009, arXiv 0811.4706.

    >>> hoyer(torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    tensor([0., 1., 0.])
    """
    root = math.sqrt(h.shape[1])
    norm = h.norm(dim=1)
    ratio = h.abs().sum(1) / torch.where(norm > 0, norm, torch.ones_like(norm))
    value = (root - ratio) / (root - 1) if h.shape[1] > 1 else torch.ones_like(ratio)
    return torch.where(norm > 0, value, torch.zeros_like(value))


def gini(h: Float[Tensor, "sample feature"]) -> Float[Tensor, " sample"]:
    """Returns sum_i (2i - r - 1) |h|_(i) / (r |h|_1): 0 for equal magnitudes, 1 - 1/r for a single feature, 0 for none.

    The only one of 15 measures of sparsity that satisfies all six axioms of Hurley and Rickard (2009, arXiv 0811.4706).

    >>> gini(torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 0.0, 0.0]]))
    tensor([0.0000, 0.7500])
    """
    r = h.shape[1]
    rank = torch.arange(1, r + 1, dtype=h.dtype, device=h.device)
    magnitude = h.abs().sort(1).values
    return (magnitude * (2 * rank - r - 1)).sum(1) / (r * magnitude.sum(1)).clamp_min(TINY)


def knn_distance(distances: Float[Tensor, "sample k"], k: int) -> Float[Tensor, " sample"]:
    """Returns the cosine distance to the k-th nearest of the training images (Sun et al., 2022, arXiv 2204.06507).

    Args:
        distances: 1 - cosine similarity, nearest first, see `neighbours`.
        k: Which, from 1.
    """
    return distances[:, k - 1]


def local_intrinsic_dimension(distances: Float[Tensor, "sample k"]) -> Float[Tensor, " sample"]:
    """Returns -(mean over the k neighbours of log d_j / d_k)^-1, with the distances d of L2-normalised representations.

    The maximum-likelihood estimate (Ma et al., 2018, arXiv 1801.02613, eq. 4); samples that are foreign to the data lie
    in regions of higher dimension. On the sphere d² is twice the cosine distance.

    >>> local_intrinsic_dimension(torch.tensor([[0.25, 1.0]]))  # d_j / d_k = 0.5 and 1: 2 / log 2
    tensor([2.8854])
    """
    d = distances.clamp_min(TINY).sqrt()
    return -1 / (d / d[:, -1:]).log().mean(1).clamp_max(-TINY)


def prototypes(bank: Float[Tensor, "member feature"], num: int, *, seed: int = 0) -> Float[Tensor, "prototype feature"]:
    """Returns the L2-normalised centres of k-means on L2-normalised representations, of at most 50,000."""
    if len(bank) > MAX_CLUSTERED:
        bank = bank[torch.randperm(len(bank), generator=torch.Generator().manual_seed(seed))[:MAX_CLUSTERED]]
    return F.normalize(kmeans(F.normalize(bank, dim=1), num, seed=seed, num_starts=3).centres.to(bank), dim=1)


def prototype_entropy(
    h: Float[Tensor, "sample feature"], centres: Float[Tensor, "prototype feature"], *, temperature: float = 0.1
) -> Float[Tensor, " sample"]:
    """Returns the entropy, in nats, of softmax(cosine / temperature) over prototypes (SwAV's 0.1, arXiv 2006.09882)."""
    log_p = F.log_softmax(F.normalize(h, dim=1) @ centres.T / temperature, dim=1)
    return -(log_p.exp() * log_p).sum(1)


def prototype_margin(
    h: Float[Tensor, "sample feature"], centres: Float[Tensor, "prototype feature"]
) -> Float[Tensor, " sample"]:
    """Returns by how much the cosine to the nearest prototype exceeds that to the second nearest."""
    nearest = (F.normalize(h, dim=1) @ centres.T).topk(2, dim=1).values
    return nearest[:, 0] - nearest[:, 1]


def view_consistency(
    h: Float[Tensor, "sample feature"], views: Float[Tensor, "view sample feature"]
) -> Float[Tensor, " sample"]:
    """Returns the mean cosine between the representation of an image and those of random views of it.

    >>> view_consistency(torch.tensor([[1.0, 0.0]]), torch.tensor([[[2.0, 0.0]], [[0.0, 1.0]]]))
    tensor([0.5000])
    """
    return F.cosine_similarity(views, h.unsqueeze(0), dim=-1).mean(0)


def num_dominant(h: Float[Tensor, "sample feature"], epsilon: float) -> Float[Tensor, " sample"]:
    """Returns |L_i|, the number of dominant features, whether discriminative or not."""
    return dominant_features(h, epsilon).sum(1).to(h.dtype)


def first_version(h: Float[Tensor, "sample feature"]) -> Float[Tensor, " sample"]:
    """Returns max_j z_ij / ||h_i||_1 on L2-normalised h: the score of the paper's first version (arXiv 2203.01881v1).

    As its one public implementation has it (Corti et al., 2022, arXiv 2207.00200): z by the mean and the standard
    deviation of the features of the sample, the latter here of the population. 0 for a constant sample.

    >>> first_version(torch.tensor([[0.0, 0.0, 0.0, 0.0, 5.0], [1.0, 1.0, 1.0, 1.0, 1.0]]))
    tensor([2., 0.])
    """
    h = F.normalize(h, dim=1)
    deviation = h.std(1, correction=0)
    z = (h.amax(1) - h.mean(1)) / deviation.clamp_min(TINY)
    score = z / h.norm(p=1, dim=1).clamp_min(TINY)
    return torch.where(deviation > 1e-7, score, torch.zeros_like(score))


def feature_zscore(
    h: Float[Tensor, "sample feature"], bank: Float[Tensor, "member feature"]
) -> Float[Tensor, " sample"]:
    """Returns max_j (h_ij - m_j) / s_j, with mean and standard deviation of each feature over the training images.

    Unlike Q it measures a feature against its own usual values, not against the other features of the sample. Features
    that are constant over the training images are left out.
    """
    deviation = bank.std(0, correction=0)
    varies = deviation > 0
    if not varies.any():
        return torch.zeros_like(h[:, 0])
    return ((h - bank.mean(0)) / deviation)[:, varies].amax(1)


def max_softmax(logits: Float[Tensor, "sample class"]) -> Float[Tensor, " sample"]:
    """Returns the largest probability of the probe (Hendrycks and Gimpel, ICLR 2017, arXiv 1610.02136)."""
    return logits.softmax(1).amax(1)


def softmax_margin(logits: Float[Tensor, "sample class"]) -> Float[Tensor, " sample"]:
    """Returns the largest probability of the probe minus the second largest."""
    top = logits.softmax(1).topk(2, dim=1).values
    return top[:, 0] - top[:, 1]


def softmax_entropy(logits: Float[Tensor, "sample class"]) -> Float[Tensor, " sample"]:
    """Returns the entropy of the probe's probabilities, in nats."""
    log_p = logits.log_softmax(1)
    return -(log_p.exp() * log_p).sum(1)


def energy(logits: Float[Tensor, "sample class"]) -> Float[Tensor, " sample"]:
    """Returns -logsumexp of the logits: low for familiar samples (Liu et al., 2020, arXiv 2010.03759, eq. 4)."""
    return -logits.logsumexp(1)


def knn_agreement(
    index: Int[Tensor, "sample k"], labels: Int[Tensor, " member"], predictions: Int[Tensor, " sample"]
) -> Float[Tensor, " sample"]:
    """Returns the share of the nearest neighbours in the training images whose label is what the probe predicts.

    >>> knn_agreement(torch.tensor([[0, 1, 2, 3]]), torch.tensor([1, 1, 1, 0]), torch.tensor([1]))
    tensor([0.7500])
    """
    return (labels[index] == predictions[:, None]).float().mean(1)
