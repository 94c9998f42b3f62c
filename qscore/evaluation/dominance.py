"""Which features are dominant how often (fig. 3), and what the representations look like (fig. 1)."""

import numpy as np

from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result

NAME = "dominance"


def dominance(inputs: EvaluationInputs, *, num_rows: int = 60) -> Result:
    """Returns the dominance counts over the training images with D, and a few held-out representations to draw.

    Args:
        inputs: The cached representations.
        num_rows: Held-out samples drawn at random for the heat map; grouped by class where there are labels.
    """
    counts, discriminative = inputs.mined.counts.numpy(), inputs.discriminative.numpy()
    rows = _rows(inputs, num_rows)
    labels = inputs.test.labels
    return Result(
        evaluation=NAME,
        metrics={
            "num_features": float(len(counts)),
            "num_discriminative": float(discriminative.sum()),
            "num_never_dominant": float((counts == 0).sum()),
            "share_empty": inputs.test_empty_share,
            "largest_share_dominant": float(counts.max() / len(inputs.train.h)),
        },
        settings={**inputs.settings(), "num_train": len(inputs.train.h)},
        arrays={
            "counts": counts,
            "discriminative": discriminative,
            "rows": inputs.test.h[rows].numpy(),
            "row_labels": np.array([]) if labels is None else labels[rows].numpy(),
            "class_names": np.array(inputs.test.class_names, dtype=str),
        },
    )


def _rows(inputs: EvaluationInputs, num_rows: int) -> np.ndarray:
    generator = np.random.default_rng(inputs.seed)
    rows = generator.permutation(len(inputs.test.h))[:num_rows]
    if inputs.test.labels is None:
        return rows
    return rows[np.argsort(inputs.test.labels.numpy()[rows], kind="stable")]
