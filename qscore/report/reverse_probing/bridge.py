"""Surprise at a sample's cluster beside its Q-Score: do they agree, and does either foresee the probe's errors?"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import BLUE, GREY, VERMILION, Encoders, label, panels
from qscore.report.reverse_probing.measures import EVALUATION, Table, finite, full

SPEARMAN = "bridge/surprise_q_spearman"
AUROCS = {
    "bridge/auroc_surprise": "surprise",
    "bridge/auroc_q": "Q",
    "bridge/auroc_both": "both",
    "bridge/auroc_rarity": "rarity",
    "bridge/surprise_minus_rarity": "surprise minus rarity",
    "bridge/surprise_minus_q": "surprise minus Q",
}
MOST_POINTS = 2000


def has_bridge(encoder: EvaluatedEncoder) -> bool:
    """Returns whether an encoder has surprise and Q of the same samples."""
    return all(encoder.array(EVALUATION, name) is not None for name in ("surprise", "q"))


def bridge_scatter(encoders: Encoders) -> Figure:
    """Surprise -ln q(cluster | concepts) of held-out samples against Q; samples that the probe gets wrong in red."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        q, surprise = (encoder.array(EVALUATION, name) for name in ("q", "surprise"))
        wrong = encoder.array(EVALUATION, "misclassified")
        if len(q) > MOST_POINTS:
            axis.hexbin(q, surprise, gridsize=40, bins="log", cmap="Blues", mincnt=1, linewidths=0)
        else:
            right = slice(None) if wrong is None else ~wrong
            axis.scatter(q[right], surprise[right], s=9, color=BLUE, alpha=0.45, linewidths=0)
        if wrong is not None and wrong.any():
            size = 9 if len(q) <= MOST_POINTS else 4
            text = f"misclassified, {wrong.sum()} of {len(wrong)}"
            axis.scatter(q[wrong], surprise[wrong], s=size, marker="x", color=VERMILION, alpha=0.6, lw=0.8, label=text)
        for text in _lines(encoder):
            axis.plot([], [], linestyle="", label=text)
        axis.set_xlabel("Q-Score")
        axis.set_ylim(top=axis.get_ylim()[0] + 1.45 * (axis.get_ylim()[1] - axis.get_ylim()[0]))
        axis.legend(frameon=False, fontsize=8, loc="upper left", handlelength=1, labelcolor=GREY)

    return panels([e for e in encoders if has_bridge(e)], EVALUATION, draw, ylabel="surprise (nats)", height=3.8)


def bridge_table(encoders: Encoders) -> Table:
    """Returns header and rows as printed."""
    header = ["Encoder", "Samples", "Misclassified", "Spearman of surprise and Q"]
    header += [f"AUROC of {name}, misclassified against right" for name in AUROCS.values()]
    rows = []
    for encoder in (e for e in encoders if has_bridge(e)):
        wrong = encoder.array(EVALUATION, "misclassified")
        counts = [str(len(encoder.array(EVALUATION, "q"))), "–" if wrong is None else str(int(wrong.sum()))]
        rows.append([label(encoder), *counts, *(_said(encoder, name) for name in (SPEARMAN, *AUROCS))])
    return header, rows


def bridge_csv(encoders: Encoders) -> Table:
    """Returns the same at full precision, with the ends of the intervals as columns of their own."""
    names = [f"{name}{end}" for name in (SPEARMAN, *AUROCS) for end in ("", "_low", "_high")]
    header = ["encoder", *(name.removeprefix("bridge/") for name in names)]
    return header, [[label(e), *full(e.metric(EVALUATION, name) for name in names)] for e in encoders if has_bridge(e)]


def _lines(encoder: EvaluatedEncoder) -> list[str]:
    found = [f"AUROC of {said}: {_said(encoder, name)}" for name, said in list(AUROCS.items())[:4]]
    return [f"Spearman {_said(encoder, SPEARMAN)}", *found]


def _said(encoder: EvaluatedEncoder, name: str) -> str:
    value, low, high = (finite(encoder.metric(EVALUATION, f"{name}{end}")) for end in ("", "_low", "_high"))
    if value is None:
        return "–"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"
