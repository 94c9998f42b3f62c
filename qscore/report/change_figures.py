"""What changed between the encoder that fine-tuning began with and those that it left: figs. A.5 and A.6."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from qscore.report.collect import BASELINE, TOLD_APART_BY, UNTRAINED, EvaluatedEncoder
from qscore.report.panels import GREY, STYLE, WIDTH_IN, Encoders, colors, label, panels

PREFIX = "class/"
MAX_CLASSES = 100
MAX_NAMED = 40
MAX_POINTS = 1000


def class_accuracy(encoders: Encoders) -> Figure:
    """Probe accuracy of each class, by that of the first encoder: the line; the others are dots (fig. A.5).

    The untrained network is left out where there is another: its accuracies would press the rest together.
    """
    probed = [e for e in encoders if "linear_probe" in e.results]
    drawn = [e for e in probed if e.role != UNTRAINED] or probed
    first, *others = (_per_class(e) for e in drawn)
    common = [name for name in first if all(name in other for other in others)]
    change = [max((abs(other[name] - first[name]) for other in others), default=0.0) for name in common]
    kept = np.argsort(-np.array(change), kind="stable")[:MAX_CLASSES]
    names = sorted((common[i] for i in kept), key=lambda name: first[name])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 3.6))
        axis = figure.subplots()
        axis.step(range(len(names)), [first[n] for n in names], where="mid", color="black", label=label(drawn[0]))
        for i, (encoder, color) in enumerate(list(zip(drawn, colors(drawn), strict=True))[1:]):
            accuracy = [others[i][name] for name in names]
            better, worse = (sum(s * (others[i][n] - first[n]) > 0 for n in common) for s in (1, -1))
            text = f"{label(encoder)}: {better} classes better, {worse} worse"
            places = np.arange(len(names)) + 0.6 * (i + 0.5) / len(others) - 0.3
            axis.plot(places, accuracy, "o", color=color, markersize=5 if len(names) <= MAX_NAMED else 3, label=text)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        axis.set_ylabel("probe top-1 of the class")
        _name_classes(axis, names)
        axis.legend(frameon=False, fontsize=9)
    return figure


def sparsity_scatter(encoders: Encoders) -> Figure:
    """Hoyer sparsity of each held-out representation against its share near zero; the baseline in grey (fig. A.6)."""
    chosen = dict(zip(map(id, encoders), colors(encoders), strict=True))
    every = [_points(e) for e in encoders if "sparsity" in e.results]
    x_limits, y_limits = (_limits(np.concatenate(values)) for values in zip(*every, strict=True))

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        before = _before(encoder, encoders)
        for shown, color in ((before, GREY), (encoder, chosen[id(encoder)])):
            if shown is not None:
                step = max(1, -(-len(_points(shown)[0]) // MAX_POINTS))
                near_zero, hoyer = (values[::step] for values in _points(shown))
                axis.scatter(near_zero, hoyer, s=7, color=color, alpha=0.5, linewidths=0)
        text = "features near zero"
        if before is not None:
            text += f"\n{np.mean(_points(encoder)[1] > _points(before)[1]):.0%} of the images are sparser than before"
        axis.set_xlabel(text)
        axis.set(xlim=x_limits, ylim=y_limits)
        axis.xaxis.set_major_formatter(PercentFormatter(1.0))

    return panels(encoders, "sparsity", draw, ylabel="Hoyer sparsity", height=3.4)


def _before(encoder: EvaluatedEncoder, encoders: Encoders) -> EvaluatedEncoder | None:
    """The baseline evaluated in the same way on the same images, where there is exactly one."""
    if encoder.role in (BASELINE, UNTRAINED):
        return None
    asked = [encoder.settings.get(name) for name in TOLD_APART_BY]
    found = [e for e in encoders if e.role == BASELINE and [e.settings.get(name) for name in TOLD_APART_BY] == asked]
    found = [e for e in found if "sparsity" in e.results and len(_points(e)[1]) == len(_points(encoder)[1])]
    return found[0] if len(found) == 1 else None


def _points(encoder: EvaluatedEncoder) -> tuple[np.ndarray, np.ndarray]:
    return encoder.array("sparsity", "near_zero"), encoder.array("sparsity", "hoyer")


def _limits(values: np.ndarray) -> tuple[float, float]:
    """The same for all panels, or they could not be compared."""
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.05
    return low - margin, high + margin


def _per_class(encoder: EvaluatedEncoder) -> dict[str, float]:
    metrics = encoder.results["linear_probe"].metrics
    return {k.removeprefix(PREFIX): v for k, v in metrics.items() if k.startswith(PREFIX) and v is not None}


def _name_classes(axis: Axes, names: list[str]) -> None:
    if len(names) <= MAX_NAMED:
        turned = max(map(len, names), default=0) > 3
        axis.set_xticks(range(len(names)), [n[:16] for n in names], rotation=90 if turned else 0, fontsize=9)
    else:
        axis.set_xticks([])
    axis.set_xlabel(f"{len(names)} classes, by the accuracy of the first encoder")
