"""Training of explanation networks, all classes at once: faithful first, then as sparse and orthogonal as may be."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from qscore.errors import UserError
from qscore.interpretability.naming.xnn import XNN
from qscore.interpretability.naming.xnn_state import XNNFit
from qscore.interpretability.naming.xnn_training import XNNTraining


@dataclass(frozen=True)
class Trained:
    """Explanation networks, and what training them took.

    Attributes:
        xnn: The networks.
        num_revived: How often a dead feature was started anew.
        weight_share: Share of the weights that each class had in the end: 1 where all that was asked for.
    """

    xnn: XNN
    num_revived: int
    weight_share: tuple[float, ...]


def fit_xnn(
    h: Float[Tensor, "sample feature"], scores: Float[Tensor, "sample class"], training: XNNTraining | None = None
) -> Trained:
    """Returns explanation networks for the class scores of a network.

    Each starts at the linear fit of its score, split with noise into features of either sign, all alive.

    Args:
        h: Activations of the layer that they stand on, >= 0, of training samples.
        scores: What to mimic: logits or log-odds, better than probabilities.
        training: How.

    Raises:
        UserError: If a score is the same for all samples.
    """
    spread = scores.std(0)
    if not (spread > 0).all():
        raise UserError(f"Expected scores that vary, got class {int(spread.argmin())} without; leave it out.")
    fit = XNNFit(h, scores, training or XNNTraining())
    fit.run()
    return Trained(fit.xnn(), fit.num_revived, tuple(fit.share.tolist()))
