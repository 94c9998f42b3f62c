"""What the guard of the warm start saw: a figure of its curves, a table, and sentences where a margin was broken."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import ROLE_LINES, STYLE, WIDTH_IN, Encoders, colors, label

SHOWN = {"knn_top1": "kNN top-1, training images", "rank_me": "RankMe", "feature_std": "feature std"}
HEADER = ["Run", *(f"{name}: start → end" for name in SHOWN.values()), "Best epoch", "Margin broken"]


def guard_curves(encoders: Encoders) -> Figure:
    """Each metric over the epochs, one line a run; thin lines are the margins, crosses where one was first broken."""
    drawn = [e for e in encoders if e.guard]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 3.4))
        for axis, (metric, title) in zip(figure.subplots(1, len(SHOWN)), SHOWN.items(), strict=True):
            for encoder, color in zip(drawn, colors(drawn), strict=True):
                _line(axis, encoder, metric, color)
            axis.set(xlabel="epoch", title=title)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.axes[-1].legend(frameon=False, fontsize=9)
    return figure


def guard_table(encoders: Encoders) -> tuple[list[str], list[list[str]]]:
    """Returns header and rows, one a guarded run."""
    return HEADER, [_row(e) for e in encoders if e.guard]


def guard_notes(encoders: Encoders) -> list[str]:
    """Returns a sentence for each run that fell below a margin, and for each that was ended for it."""
    notes = []
    for encoder in encoders:
        for metric, epoch in encoder.guard.get("broken", {}).items():
            start, value = (_value(encoder, metric, at) for at in (0, epoch))
            notes.append(
                f"{label(encoder)}: fine-tuning did harm: {SHOWN[metric]} fell from {start:.4g} to {value:.4g} "
                f"after epoch {epoch}, below its margin of {encoder.guard['floors'][metric]:.4g}. The table shows the "
                f"last state; the best one, of epoch {encoder.guard['best']['epoch']}, is in "
                f"{encoder.path.name}/{encoder.guard['best']['encoder']}."
            )
        if (stopped := encoder.guard.get("stopped_after")) is not None:
            notes.append(
                f"{label(encoder)}: ended by the guard after epoch {stopped}, so with fewer steps than planned."
            )
    return notes


def _line(axis: Axes, encoder: EvaluatedEncoder, metric: str, color: str) -> None:
    points = [(entry["epoch"], entry[metric]) for entry in encoder.guard["curve"] if entry[metric] is not None]
    if not points:
        return
    epochs, values = zip(*points, strict=True)
    axis.plot(epochs, values, color=color, linestyle=ROLE_LINES[encoder.role], marker="o", label=label(encoder))
    axis.axhline(encoder.guard["floors"][metric], color=color, linewidth=0.8, alpha=0.6)
    if (epoch := encoder.guard["broken"].get(metric)) is not None:
        axis.plot([epoch], [_value(encoder, metric, epoch)], "X", color=color, markersize=12, markeredgecolor="black")


def _row(encoder: EvaluatedEncoder) -> list[str]:
    curve, broken = encoder.guard["curve"], encoder.guard["broken"]
    spans = [(curve[0][metric], curve[-1][metric]) for metric in SHOWN]
    said = ["no labels" if None in span else f"{span[0]:.4g} → {span[1]:.4g}" for span in spans]
    where = ", ".join(f"{SHOWN[metric]} after epoch {epoch}" for metric, epoch in broken.items())
    return [label(encoder), *said, str(encoder.guard["best"]["epoch"]), where or "none"]


def _value(encoder: EvaluatedEncoder, metric: str, epoch: int) -> float:
    """The value after an epoch; of the first measurement for 0, whatever epoch the guard began with."""
    curve = encoder.guard["curve"]
    found = curve[0] if epoch == 0 else next(entry for entry in curve if entry["epoch"] == epoch)
    return float(found[metric])
