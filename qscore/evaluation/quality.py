"""How good a representation is as a whole, from the representations alone: no label is looked at."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from qscore.evaluation.collapse import effective_rank, feature_std, rank_me
from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result

NAME = "quality"
MAX_PAIRS_SAMPLES = 5_000
LIDAR_SAMPLES, LIDAR_DELTA = 1_000, 1e-4
ALPHA_REQ_RANKS = (4, 100)


def quality(inputs: EvaluationInputs, *, num_views: int = 4) -> Result:
    """Returns what is said of a representation without labels, over the held-out images.

    RankMe, alpha-ReQ, participation ratio and feature std of the plain images; LiDAR, alignment and uniformity from
    random views of them (the same for every encoder); the share of features that are never active; the mean of Q and
    the
    share of samples with an empty L ∩ D. Compare them on the same images only, and with care between encoders of
    different
    width or method.

    Args:
        inputs: The cached representations.
        num_views: Random views of each image; without 2, or without `inputs.pictures`, what needs them is left out.
    """
    h = inputs.test.h
    spectrum = covariance_spectrum(h)
    alpha = alpha_req(spectrum)
    metrics: dict[str, float | None] = {
        "rank_me": float(rank_me(h)),
        "alpha_req": None if alpha is None else float(alpha),
        "participation_ratio": float(participation_ratio(spectrum)),
        "feature_std": float(feature_std(h)),
        "share_dead": float(dead_features(h).double().mean()),
        "uniformity": float(uniformity(_some(h))) if len(h) > 1 else None,
        "mean_q": float(inputs.test_q.double().mean()),
        "share_empty": inputs.test_empty_share,
    }
    notes: tuple[str, ...] = ()
    if inputs.pictures is None or num_views < 2:
        notes = ("Without views of the images alignment and LiDAR are left out.",)
    else:
        views = inputs.pictures.views(num_views)
        metrics |= {"alignment": float(alignment(views)), "lidar": float(lidar(views[:, _drawn(h, LIDAR_SAMPLES)]))}
    settings = {**inputs.settings(), "num_views": num_views, "num_samples": len(h)}
    return Result(NAME, metrics, settings, {"covariance_spectrum": spectrum.numpy()}, notes)


def covariance_spectrum(h: Float[Tensor, "sample feature"]) -> Float[Tensor, " component"]:
    """Returns the eigenvalues of the covariance of the features, largest first."""
    centred = h.double() - h.double().mean(0)
    sigma: Tensor = torch.linalg.svdvals(centred)
    return sigma.square() / len(h)


def participation_ratio(spectrum: Float[Tensor, " component"]) -> Float[Tensor, ""]:
    """Returns (Σλ)² / Σλ² over the eigenvalues of the covariance: how many directions carry the variance.

    1 for one direction, the number of features for equal ones, 0 for constant representations (Gao et al., 2017,
    bioRxiv 214262).

    >>> participation_ratio(torch.tensor([2.0, 2.0, 0.0]))
    tensor(2.)
    """
    tiny = torch.finfo(spectrum.dtype).tiny
    return spectrum.sum().square() / spectrum.square().sum().clamp_min(tiny)


def alpha_req(spectrum: Float[Tensor, " component"]) -> Float[Tensor, ""] | None:
    """Returns the exponent α of λ_i ~ i^-α, by least squares on log λ_i against log i.

    Values near 1 go with good transfer; far above it few directions carry everything, far below it noise does (Agrawal
    et al., NeurIPS 2022, "α-ReQ"). As the authors fit it: ranks 4 to 100, each weighed by 1 / i, so that every octave
    counts alike. None for fewer than 3 positive eigenvalues among these ranks.

    >>> round(float(alpha_req(torch.arange(1.0, 101.0) ** -1.5)), 4)
    1.5
    """
    rank = torch.arange(1, len(spectrum) + 1, dtype=spectrum.dtype)
    positive = spectrum > spectrum.max() * torch.finfo(spectrum.dtype).eps
    fitted = (rank >= ALPHA_REQ_RANKS[0]) & (rank <= ALPHA_REQ_RANKS[1]) & positive
    if fitted.sum() < 3:
        return None
    x, y, weight = rank[fitted].log(), spectrum[fitted].log(), 1 / rank[fitted]
    x, y = x - (weight * x).sum() / weight.sum(), y - (weight * y).sum() / weight.sum()
    return -(weight * x * y).sum() / (weight * x * x).sum()


def lidar(views: Float[Tensor, "view sample feature"], *, delta: float = LIDAR_DELTA) -> Float[Tensor, ""]:
    """Returns the effective rank of Sw^-1/2 Sb Sw^-1/2, where every image is a class and its views are the members.

    Unlike RankMe it counts only directions that tell images apart better than views of one image (Thilak et al., ICLR
    2024, arXiv
    2312.04000, section 4). Sw is regularised by δ times the identity, the paper's 1e-4, here relative to its mean
    eigenvalue so that the scale of the representations does not matter.

    Args:
        views: Representations of at least 2 views of at least 2 images.
        delta: δ.
    """
    x = views.double()
    means = x.mean(0)
    within = (x - means).flatten(0, 1)
    between = means - means.mean(0)
    sw = within.T @ within / (x.shape[1] * max(x.shape[0] - 1, 1))
    sb = between.T @ between / max(x.shape[1] - 1, 1)
    scale = (sw.diagonal().mean() * delta).clamp_min(torch.finfo(sw.dtype).tiny)
    values, vectors = torch.linalg.eigh(sw + scale * torch.eye(len(sw), dtype=sw.dtype))
    root = vectors / values.clamp_min(scale / 2).sqrt() @ vectors.T
    return effective_rank(torch.linalg.eigvalsh(root @ sb @ root).clamp_min(0)).to(views.dtype)


def uniformity(h: Float[Tensor, "sample feature"], *, t: float = 2.0) -> Float[Tensor, ""]:
    """Returns log mean exp(-t |u - v|²) over pairs of L2-normalised representations; lower is more uniform.

    Wang and Isola, ICML 2020, arXiv 2005.10242, section 4.1; 0 for a single point.

    >>> uniformity(torch.tensor([[1.0, 0.0], [3.0, 0.0]])), uniformity(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    (tensor(0.), tensor(-8.))
    """
    return torch.pdist(F.normalize(h, dim=1)).square().mul(-t).exp().mean().log()


def alignment(views: Float[Tensor, "view sample feature"]) -> Float[Tensor, ""]:
    """Returns the mean squared distance of L2-normalised representations of two views of an image; lower is better.

    Wang and Isola, ICML 2020, arXiv 2005.10242, section 4.1, over all pairs of views.

    >>> alignment(torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]))
    tensor(2.)
    """
    pairs = [(one, other) for i, one in enumerate(views) for other in views[:i]]
    # On the unit sphere |u - v|² = 2 - 2 cos; pair by pair, since all of them together would fill the memory.
    cosines = torch.stack([F.cosine_similarity(one, other, dim=1).mean() for one, other in pairs])
    return 2 - 2 * cosines.mean()


def dead_features(h: Float[Tensor, "sample feature"]) -> Tensor:
    """Returns True for the features that are the same for every sample, (feature,)."""
    return h.amax(0) == h.amin(0)


def _some(h: Tensor) -> Tensor:
    return h[_drawn(h, MAX_PAIRS_SAMPLES)]


def _drawn(h: Tensor, num: int) -> np.ndarray:
    """Positions of `num` samples, or of all; the same ones for every encoder."""
    return np.sort(np.random.default_rng(0).permutation(len(h))[:num])
