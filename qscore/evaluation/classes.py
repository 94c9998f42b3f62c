"""What features have to do with classes, though nobody told the encoder of any (figs. 2, 5, A.1 and A.8)."""

import numpy as np

from qscore.evaluation.class_statistics import class_means, class_selectivity, class_weights, feature_groups
from qscore.evaluation.inputs import EvaluationInputs
from qscore.results import Result
from qscore.score import dominant_features

NAME = "classes"
BOTH = ("right", "wrong")

Metrics = dict[str, float | None]


def classes(inputs: EvaluationInputs) -> Result:
    """Returns, for every class and feature, dominance, the weight of the linear head, and average representations.

    All but the weights is measured on held-out samples: D and the head were chosen on the training samples, and a
    feature that merely remembers these would look class-specific there. The metrics are, for the groups of
    `feature_groups` (kept from figs. 2 and 3 of Kalibhat et al., 2022, arXiv 2203.01881v2):

    - `largest_share/GROUP`: mean over its features of the largest share of a class (fig. 2);
    - `selectivity/GROUP`: mean over its features of `class_selectivity`, of those dominant at all;
    - `weight_agreement/GROUP`: how often the class of a feature's largest weight is the class it is most often
      dominant for (fig. A.1); `.../discriminative_chance` if weights were dealt out at random;
    - `average/right/discriminative` and the like: mean of the features in D, and of all the others, over the average
      representations of the right and of the wrong samples of a class, and `ratio`, the first by the second (fig. 5);
      over the classes that have samples of both kinds, or the classes themselves would differ.

    Raises:
        UserError: If the data has no labels, or one class only.
    """
    labels, num_classes = inputs.labels[1].numpy(), len(inputs.test.class_names)
    h, correct, discriminative = inputs.test.h.numpy(), inputs.probe.correct, inputs.discriminative.numpy()
    groups = feature_groups(inputs.mined.counts.numpy(), discriminative)
    shares = class_means(dominant_features(inputs.test.h, inputs.epsilon).numpy(), labels, num_classes)
    weights = class_weights(inputs.probe.model, num_classes)
    selectivity = class_selectivity(shares)
    masks = dict(zip(BOTH, (correct, ~correct), strict=True))
    averages = {name: class_means(h[mask], labels[mask], num_classes) for name, mask in masks.items()}
    metrics: Metrics = {
        **{f"largest_share/{name}": _mean(np.nanmax(shares, 0)[group]) for name, group in groups.items()},
        **{f"selectivity/{name}": _mean(selectivity[group]) for name, group in groups.items()},
        **_weight_metrics(shares, weights, groups),
        **_average_metrics(averages, discriminative),
    }
    return Result(
        evaluation=NAME,
        metrics=metrics,
        settings={**inputs.settings(), "C": inputs.probe.regularization, "num_test": len(labels), "split": "held-out"},
        arrays={
            **{name: array.astype(np.float32) for name, array in averages.items()},
            **{f"num_{name}": np.bincount(labels[mask], minlength=num_classes) for name, mask in masks.items()},
            "shares": shares.astype(np.float32),
            "weights": weights.astype(np.float32),
            "selectivity": selectivity.astype(np.float32),
            "counts": inputs.mined.counts.numpy(),
            "discriminative": discriminative,
            "class_names": np.array(inputs.test.class_names, dtype=str),
        },
        notes=_notes(metrics, discriminative),
    )


def _weight_metrics(shares: np.ndarray, weights: np.ndarray, groups: dict[str, np.ndarray]) -> Metrics:
    both = ~np.isnan(shares).any(1) & ~np.isnan(weights).any(1)  # classes of the training and of the held-out samples
    dominant = np.nansum(shares, 0) > 0
    share_class, weight_class = (array[both].argmax(0) for array in (shares, weights))
    agrees = share_class == weight_class
    found = {f"weight_agreement/{name}": _mean(agrees[group & dominant]) for name, group in groups.items()}
    chosen = groups["discriminative"] & dominant
    portions = [np.bincount(top[chosen], minlength=int(both.sum())) for top in (share_class, weight_class)]
    chance = float(np.dot(*portions) / chosen.sum() ** 2) if chosen.any() else None
    return {**found, "weight_agreement/discriminative_chance": chance}


def _average_metrics(averages: dict[str, np.ndarray], discriminative: np.ndarray) -> Metrics:
    both = np.logical_and(*(~np.isnan(array).any(1) for array in averages.values()))
    found: Metrics = {"average/num_classes": float(both.sum())}
    for name, array in averages.items():
        inside, outside = (_mean(array[both][:, mask]) for mask in (discriminative, ~discriminative))
        defined = inside is not None and outside is not None and outside > 0
        found |= {f"average/{name}/discriminative": inside, f"average/{name}/other": outside}
        found[f"average/{name}/ratio"] = inside / outside if defined else None  # type: ignore[operator]
    return found


def _notes(metrics: Metrics, discriminative: np.ndarray) -> tuple[str, ...]:
    notes = []
    if not discriminative.any():
        notes.append("No feature is discriminative at this epsilon: nothing can be said of D's features.")
    if not metrics["average/num_classes"]:
        notes.append("No class has both right and wrong held-out samples: their averages cannot be compared.")
    return tuple(notes)


def _mean(values: np.ndarray) -> float | None:
    """None where there is nothing to average."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else None
