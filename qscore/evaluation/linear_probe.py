"""How much a linear layer can read from the representations."""

import numpy as np

from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result

NAME = "linear_probe"


def linear_probe(inputs: EvaluationInputs) -> Result:
    """Returns top-1, top-5 and per-class accuracy of a linear probe on the held-out samples.

    The probe sees cached representations, so it cannot move the encoder; see `fit_probe` for the protocol.

    Raises:
        UserError: If the data has no labels, or one class only.
    """
    labels = inputs.labels[1].numpy()
    probe = inputs.probe
    classes = probe.model.classes
    top5 = classes[np.argsort(-probe.probabilities, axis=1)[:, :5]]
    per_class = {name: float(probe.correct[labels == c].mean()) for c, name in _present_classes(inputs, labels)}
    chance = np.bincount(labels).max() / len(labels)
    return Result(
        evaluation=NAME,
        metrics={
            "top1": float(probe.correct.mean()),
            "top5": float((top5 == labels[:, None]).any(1).mean()),
            "majority_class": float(chance),
            "validation_top1": probe.validation_accuracy,
            **{f"class/{name}": accuracy for name, accuracy in per_class.items()},
        },
        settings={
            "protocol": "standardised cached features, L2 logistic regression, C chosen on 20 % of train",
            "solver": probe.solver,
            "C": probe.regularization,
            "num_train": len(inputs.train.h),
            "num_test": len(labels),
            "seed": inputs.seed,
        },
        arrays={"predictions": probe.predictions, "labels": labels, "confidence": probe.probabilities.max(1)},
    )


def _present_classes(inputs: EvaluationInputs, labels: np.ndarray) -> list[tuple[int, str]]:
    return [(int(c), inputs.test.class_names[c]) for c in np.unique(labels)]
