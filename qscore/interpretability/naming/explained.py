"""Explanation networks of the linear probe's logits, with how far they can be believed."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.naming.fidelity import Fidelity, fidelity
from qscore.interpretability.naming.xnn import XNN
from qscore.interpretability.naming.xnn_fit import fit_xnn
from qscore.interpretability.naming.xnn_training import XNNTraining


@dataclass(frozen=True)
class Explained:
    """Explanation networks for the classes of a probe.

    Attributes:
        xnn: In the order of the probe's classes.
        fidelity: On held-out samples.
    """

    xnn: XNN
    fidelity: Fidelity

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of names must know of them."""
        return (self.fidelity.line(), *(f"Unfaithful: {fault}." for fault in self.fidelity.faults))


def explain_probe(
    inputs: EvaluationInputs, training: XNNTraining | None = None, *, xnn: XNN | None = None, force: bool = False
) -> Explained:
    """Returns explanation networks of the probe's logits, trained on its training samples.

    Args:
        inputs: Representations with labels.
        training: How.
        xnn: Networks that are there already.
        force: Return them even if they are unfaithful.

    Raises:
        UserError: If there are no labels, or they are unfaithful.
    """
    if xnn is None:
        xnn = fit_xnn(inputs.train.h, probe_scores(inputs, inputs.train.h), training).xnn
    labels = torch.from_numpy(np.searchsorted(inputs.probe.model.classes, inputs.labels[1].numpy()))
    names = [inputs.test.class_names[label] for label in inputs.probe.model.classes.tolist()]
    found = fidelity(xnn, inputs.test.h, probe_scores(inputs, inputs.test.h), labels, names)
    found.require(force=force)
    return Explained(xnn, found)


def probe_scores(inputs: EvaluationInputs, h: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample class"]:
    """Returns the probe's logits, one a class, in float32; of two classes the first has minus that of the second."""
    logits = torch.from_numpy(inputs.probe.model.logits(h.numpy())).float()
    return logits if logits.shape[1] > 1 else torch.cat([-logits, logits], 1)
