"""What features have to do with classes: figs. 2, A.1 and 5 of the paper, one row of panels an encoder."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import BLUE, LIGHT_GREY, VERMILION, Encoders, dominance_order, rows

EVALUATION = "classes"
NUM_DISCRIMINATIVE = 4
MAX_CLASSES = 20
MAX_NAMED = 12
NAME_LENGTH = 12


def feature_shares(encoders: Encoders) -> Figure:
    """Share of each class's samples for which a feature is dominant: four of D, one of the upper tail (fig. 2)."""

    def bars(axis: Axes, encoder: EvaluatedEncoder, feature: int, shown: np.ndarray) -> None:
        shares = encoder.array(EVALUATION, "shares")[:, feature]
        _bars(axis, encoder, shares, shown)
        axis.set_ylim(0, 1)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))

    return _features_of(encoders, bars, ylabel="samples of the class\nwhere dominant")


def feature_weights(encoders: Encoders) -> Figure:
    """Weights of the linear head at the features of `feature_shares`, for the same classes (fig. A.1)."""

    def bars(axis: Axes, encoder: EvaluatedEncoder, feature: int, shown: np.ndarray) -> None:
        weights = encoder.array(EVALUATION, "weights")
        _bars(axis, encoder, weights[:, feature], shown)
        largest = 1.1 * np.nanmax(np.abs(weights[:, [f for f, _ in shown_features(encoder)]]), initial=1e-12)
        axis.set_ylim(-largest, largest)
        axis.axhline(0, color="black", linewidth=0.6)

    return _features_of(encoders, bars, ylabel="weight of the class")


def class_averages(encoders: Encoders) -> Figure:
    """Average representations of the right and of the wrong samples of a class, side by side (figs. 5, A.8)."""
    num_rows = max(len(_most_mistaken(e)) for e in encoders if EVALUATION in e.results)

    def draw(axes: np.ndarray, encoder: EvaluatedEncoder) -> None:
        order, low, high = dominance_order(encoder, EVALUATION)
        chosen = _most_mistaken(encoder)
        names = encoder.array(EVALUATION, "class_names")[chosen]
        averages = [np.abs(encoder.array(EVALUATION, kind)[chosen][:, order]) for kind in ("right", "wrong")]
        peak = np.nanmax(np.concatenate(averages, 1), axis=1, keepdims=True)
        colormap = mpl.colormaps["magma_r"].with_extremes(bad=LIGHT_GREY)
        for axis, kind, average in zip(axes, ("right", "wrong"), averages, strict=True):
            axis.imshow(
                average / np.where(peak > 0, peak, 1),
                aspect="auto",
                cmap=colormap,
                vmin=0,
                vmax=1,
                interpolation="none",
            )
            for edge in (low - 0.5, high + 0.5):
                axis.axvline(edge, color=BLUE, linewidth=1.5)
            counts = encoder.array(EVALUATION, f"num_{kind}")[chosen]
            said = [f"{name[:NAME_LENGTH]} ({n})" for name, n in zip(names, counts, strict=True)]
            axis.set_yticks(range(len(said)), said, fontsize=8)
            axis.set(xlabel="feature, sorted as in fig. 3", title=f"{kind} ({counts.sum()} samples)")

    return rows(encoders, EVALUATION, draw, num_columns=2, height=1.2 + 0.17 * max(num_rows, 6))


def shown_features(encoder: EvaluatedEncoder) -> list[tuple[int, str]]:
    """Returns the features to show with their kind: up to four of D, then the one of the upper tail.

    Of D those of the largest product of selectivity and largest share (either alone is large for a feature that is
    dominant once, or for every class), each the best of its class while there are other classes. Of the upper tail
    the one that is dominant most often.
    """
    shares, selectivity = (encoder.array(EVALUATION, name) for name in ("shares", "selectivity"))
    chosen, counts = (encoder.array(EVALUATION, name) for name in ("discriminative", "counts"))
    score = np.nan_to_num(np.nanmax(shares, 0) * selectivity)
    best = sorted(np.flatnonzero(chosen & (score > 0)), key=lambda j: -score[j])
    classes = [np.nanargmax(shares[:, j]) for j in best]
    firsts = [j for i, j in enumerate(best) if classes[i] not in classes[:i]]
    ranked = [*firsts, *(j for j in best if j not in firsts)][:NUM_DISCRIMINATIVE]
    tail = np.flatnonzero(counts > counts[chosen].max(initial=0)) if chosen.any() else np.array([], dtype=int)
    return [*((int(j), "D") for j in ranked), *((int(j), "upper tail") for j in tail[np.argsort(-counts[tail])][:1])]


def _features_of(encoders: Encoders, bars: Any, *, ylabel: str) -> Figure:
    def draw(axes: np.ndarray, encoder: EvaluatedEncoder) -> None:
        features = shown_features(encoder)
        for axis, (feature, kind) in zip(axes, features, strict=False):
            bars(axis, encoder, feature, _shown_classes(encoder, feature))
            axis.set_title(f"feature {feature} ({kind})", fontsize=9)
            axis.tick_params(labelsize=8)
        for axis in axes[len(features) :]:
            axis.set_visible(False)
        axes[0].set_ylabel(ylabel, fontsize=10)

    return rows(encoders, EVALUATION, draw, num_columns=NUM_DISCRIMINATIVE + 1, height=2.5)


def _bars(axis: Axes, encoder: EvaluatedEncoder, values: np.ndarray, shown: np.ndarray) -> None:
    """One bar a class; that of the class where the feature is dominant most, the first of `shown`, stands out."""
    classes = np.sort(shown) if _all_shown(encoder) else shown
    names = [name[:NAME_LENGTH] for name in encoder.array(EVALUATION, "class_names")[classes]]
    axis.bar(range(len(classes)), values[classes], color=[VERMILION if c == shown[0] else LIGHT_GREY for c in classes])
    if len(names) <= MAX_NAMED:
        axis.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names), default=0) > 2 else 0)
    else:
        axis.set_xticks([])
        most = encoder.array(EVALUATION, "class_names")[shown[0]]
        axis.set_xlabel(f"{len(names)} classes; red: {most[:NAME_LENGTH]}", fontsize=8)


def _shown_classes(encoder: EvaluatedEncoder, feature: int) -> np.ndarray:
    """Classes by descending share of the feature; at most 20."""
    shares = encoder.array(EVALUATION, "shares")[:, feature]
    present = np.flatnonzero(~np.isnan(shares))
    return present[np.argsort(-shares[present], kind="stable")][:MAX_CLASSES]


def _all_shown(encoder: EvaluatedEncoder) -> bool:
    return len(encoder.array(EVALUATION, "class_names")) <= MAX_CLASSES


def _most_mistaken(encoder: EvaluatedEncoder) -> np.ndarray:
    """Classes with wrong samples, at most the 20 with the most, in the order of the data set; any if none is wrong."""
    right, wrong = (encoder.array(EVALUATION, f"num_{kind}") for kind in ("right", "wrong"))
    present = np.flatnonzero(wrong if wrong.any() else right)
    return np.sort(present[np.argsort(-wrong[present], kind="stable")][:MAX_CLASSES])
