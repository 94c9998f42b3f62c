"""Whether explanation networks explain the network, and not something else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from qscore.errors import UserError
from qscore.interpretability.naming.xnn import MIN_ACTIVE_SHARE, XNN, pull_away

MAX_ERROR, MAX_ACCURACY_DROP = 0.01, 0.01


@dataclass(frozen=True)
class Fidelity:
    """How far explanation networks stand for the network, to be printed beside every naming.

    Attributes:
        rmse: Root mean squared error of each class score.
        ranges: Largest less smallest score of each class, over the same samples.
        errors: rmse divided by the range of the scores of all classes together, on which the classes compete (the
            paper's 0 to 50).
        network_accuracy: Share of samples to which the network gives its highest score for their label; None without
            labels.
        accuracy: The same of the explanation networks.
        same_decision: Share of samples for which both decide alike.
        dead: X-features of each class that are positive for fewer than 1 % of the samples.
        orthogonality: Mean squared cosine between two X-features of a class that are not dead; 0 is best.
        names: Of the classes, for messages; their places where there are none.
    """

    rmse: tuple[float, ...]
    ranges: tuple[float, ...]
    errors: tuple[float, ...]
    network_accuracy: float | None
    accuracy: float | None
    same_decision: float
    dead: tuple[int, ...]
    orthogonality: float
    names: tuple[str, ...] = ()

    def _class(self, place: int) -> str:
        return f"'{self.names[place]}'" if self.names else str(place)

    def line(self) -> str:
        """Returns it in a sentence."""
        accuracy = ""
        if self.accuracy is not None:
            accuracy = f"accuracy {self.accuracy:.1%}, the network's {self.network_accuracy:.1%}; "
        return (
            f"Explanation networks: {accuracy}the same decision for {self.same_decision:.1%}; error of a score "
            f"{max(self.errors):.2%} of the range at most, {max(self.own_errors):.2%} of the range of its own class; "
            f"{sum(self.dead)} dead features."
        )

    @property
    def own_errors(self) -> tuple[float, ...]:
        """Error of each class divided by the range of its own scores."""
        return tuple(error / own if own else 0.0 for error, own in zip(self.rmse, self.ranges, strict=True))

    @property
    def faults(self) -> tuple[str, ...]:
        """What makes it unfaithful; nothing where it is faithful."""
        found = []
        worst = int(np.argmax(self.errors))
        if self.errors[worst] > MAX_ERROR:
            found.append(
                f"an error of {self.errors[worst]:.1%} of the range for class {self._class(worst)}, not {MAX_ERROR:.0%}"
            )
        drop = 0.0 if self.accuracy is None else (self.network_accuracy or 0.0) - self.accuracy
        if drop > MAX_ACCURACY_DROP:
            found.append(f"an accuracy of {self.accuracy:.1%} instead of {self.network_accuracy:.1%}")
        if sum(self.dead):
            found.append(f"{sum(self.dead)} dead features")
        return tuple(found)

    def require(self, *, force: bool = False) -> None:
        """Refuses an unfaithful explanation.

        Raises:
            UserError: If there are faults, unless forced.
        """
        if self.faults and not force:
            raise UserError(
                f"Expected explanation networks that are faithful to the network, got {'; '.join(self.faults)}. Train "
                "them longer or with lower weights, name discriminative features instead, or force it."
            )


@torch.no_grad()
def fidelity(
    xnn: XNN,
    h: Float[Tensor, "sample feature"],
    scores: Float[Tensor, "sample class"],
    labels: Int[Tensor, " sample"] | None = None,
    names: Sequence[str] = (),
) -> Fidelity:
    """Returns how far explanation networks stand for a network.

    Args:
        xnn: For the classes of `scores`, in their order.
        h: Held-out activations of the layer.
        scores: The network's own.
        labels: Place of each sample's class among the scores.
        names: Of the classes.
    """
    found, x = xnn.scores(h), xnn.features(h)
    rmse = (found - scores).double().square().mean(0).sqrt()
    ranges, spread = (scores.amax(0) - scores.amin(0)).double(), (scores.amax() - scores.amin()).double()
    active = (x > 0).double().mean(0) >= MIN_ACTIVE_SHARE
    own, other = scores.argmax(1), found.argmax(1)
    return Fidelity(
        rmse=tuple(rmse.tolist()),
        ranges=tuple(ranges.tolist()),
        errors=tuple((rmse / spread).tolist()),
        network_accuracy=None if labels is None else float((own == labels).double().mean()),
        accuracy=None if labels is None else float((other == labels).double().mean()),
        same_decision=float((own == other).double().mean()),
        dead=tuple((~active).sum(1).tolist()),
        orthogonality=float(pull_away(x, active).mean()),
        names=tuple(names),
    )
