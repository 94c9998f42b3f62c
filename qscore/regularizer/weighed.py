"""What the gradients of the first steps say of a weight."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RAW, GRADIENT = "raw", "gradient"
WEIGHT_UNITS = (RAW, GRADIENT)
WITHOUT_EFFECT = 1e-4  # of the gradient of the loss
SUGGESTED_EFFECT = 0.01


@dataclass(frozen=True)
class Weighed:
    """The gradient norms of the steps that were measured, and the weight that was asked for.

    Attributes:
        asked: The weight, in its unit.
        unit: "raw" or "gradient".
        norms: Norm of the loss's and of the term's gradient at the representations, for each step.
    """

    asked: float
    unit: str
    norms: Sequence[tuple[float, float]]

    @property
    def parity(self) -> float | None:
        """The raw weight with which the term's gradient is as large as the loss's: the median over the steps.

        Steps in which one of the two is 0 say nothing and are left out; None if there is no other.

        >>> Weighed(0.1, "gradient", [(2.0, 0.5), (1.0, 0.0), (3.0, 0.5), (1.0, 0.5)]).parity
        4.0
        """
        ratios = [loss / term for loss, term in self.norms if loss > 0 and term > 0]
        return statistics.median(ratios) if ratios else None

    @property
    def weight(self) -> float:
        """The raw weight that is asked for; 0 where a ratio cannot be had.

        >>> Weighed(0.1, "gradient", [(2.0, 0.5)]).weight
        0.4
        """
        return self.asked if self.unit == RAW else self.asked * (self.parity or 0.0)

    @property
    def effect(self) -> float | None:
        """Norm of the weighted term's gradient over that of the loss's; None if it could not be measured."""
        return self.weight / self.parity if self.parity else None

    def as_json(self) -> dict[str, Any]:
        """Returns the content of `q_score_weight.json`."""
        loss, term = zip(*self.norms, strict=True)
        return {
            "weight_unit": self.unit,
            "asked": self.asked,
            "weight": self.weight,
            "gradient_ratio": self.effect,
            "weight_of_equal_gradients": self.parity,
            "loss_gradient": statistics.median(loss),
            "term_gradient": statistics.median(term),
            "num_steps": len(self.norms),
            "num_steps_without_term_gradient": sum(value == 0 for value in term),
        }

    def summary(self) -> str:
        """Returns what was found, where nothing is wrong with it."""
        found = f"Over {len(self.norms)} steps, weight={self.asked:g} (weight_unit={self.unit}) is a raw weight of "
        if self.effect is None:
            return f"{found}{self.weight:.3g}; the loss's gradient was not seen, which torch.compile hides."
        return (
            f"{found}{self.weight:.3g}: the norm of the weighted term's gradient at the representations is "
            f"{self.effect:.3g} of that of the loss's."
        )

    def warning(self) -> str | None:
        """Returns what is wrong with the weight and what to do; None if nothing is."""
        if self.effect is None:
            return self._without_ratio()
        if self.unit == GRADIENT or self.effect >= WITHOUT_EFFECT:
            return None
        return (
            f"weight={self.asked:g} (lambda) is without effect: over {len(self.norms)} steps, the norm of the weighted "
            f"term's gradient at the representations was {self.effect:.1e} of that of the loss's. For "
            f"{SUGGESTED_EFFECT:g} take weight={SUGGESTED_EFFECT * (self.parity or 0.0):.3g}, or "
            f"weight={SUGGESTED_EFFECT:g} with weight_unit=gradient."
        )

    def _without_ratio(self) -> str | None:
        stays = "cannot be set with weight_unit=gradient and stays 0: THIS RUN IS NOT REGULARIZED"
        outcome = f"weight={self.asked:g} (lambda) {stays if self.unit == GRADIENT else 'is without effect so far'}."
        if all(term == 0 for _, term in self.norms):
            return (
                f"In none of {len(self.norms)} steps had the Q-Score term a gradient: every view was above the "
                f"threshold, or its L ∩ D was empty. {outcome} Augmentation can empty the L ∩ D of views where "
                "that of the images as they are, which epsilon=auto looks at, is not: lower epsilon, augment less, "
                "take formula=soft, or raise the threshold (alpha)."
            )
        if self.unit == GRADIENT:
            return (
                f"In none of {len(self.norms)} steps did a gradient of the loss reach what the encoder returned. "
                f"{outcome} Name the encoder whose output the loss uses, or give a raw weight."
            )
        return None
