"""How much room representations fill; both numbers fall when an encoder collapses, and neither needs a label."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

EPSILON = 1e-7


def rank_me(h: Float[Tensor, "sample feature"]) -> Float[Tensor, ""]:
    """Returns exp(-Σ p_k log p_k) with p_k = σ_k / Σσ + 1e-7, over the singular values σ of h.

    The effective rank of the representations: from 1, all of them on one line through the origin, to
    min(sample, feature), which epsilon can exceed in the fourth digit. It ignores the scale of h, but not the number
    of samples: compare it on the same images only. h is not centred, as in the paper.
    RankMe: Garrido et al., ICML 2023, arXiv 2210.02885, section 3.

    Args:
        h: Finite representations. All zeros count as rank 1.

    >>> rank_me(torch.tensor([[3.0, 0.0], [0.0, 1.0]]))  # exp(-0.75 log 0.75 - 0.25 log 0.25)
    tensor(1.7548)
    >>> rank_me(torch.eye(4)), rank_me(torch.ones(4, 4))
    (tensor(4.0000), tensor(1.0000))
    """
    return effective_rank(torch.linalg.svdvals(h.double())).to(h.dtype)


def effective_rank(values: Float[Tensor, " component"]) -> Float[Tensor, ""]:
    """Returns exp(-Σ p_k log p_k) with p_k = v_k / Σv + 1e-7, for values v of at least 0; see `rank_me`."""
    p = values / values.sum().clamp_min(torch.finfo(values.dtype).tiny) + EPSILON
    return torch.exp(-(p * p.log()).sum())


def feature_std(h: Float[Tensor, "sample feature"]) -> Float[Tensor, ""]:
    """Returns the standard deviation of each feature of the L2-normalised representations, averaged over features.

    0 for a collapsed encoder, 1 / sqrt(feature) for representations spread evenly over the sphere (Chen and He, 2021,
    SimSiam, arXiv 2011.10566, section 4.1). Without the normalisation it would follow the scale of h, which weight
    decay changes without harm.

    >>> feature_std(torch.tensor([[5.0, 0.0], [0.0, 1.0]])), feature_std(torch.ones(3, 2))
    (tensor(0.5000), tensor(0.))
    """
    return F.normalize(h, dim=1).std(0, correction=0).mean()
