"""Q-Score beside its parts, its rivals and the ceilings: figures and a table."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import BLUE, GREEN, LIGHT_GREY, STYLE, VERMILION, WIDTH_IN, Encoders, label, panels

EVALUATION = "misclassification"
WITH_LABELS = ("max_softmax", "softmax_margin", "softmax_entropy", "energy", "knn_agreement")
PARTS = {"q_ratio": (VERMILION, "-"), "dominant_mean": (BLUE, "--"), "inverse_l1": (GREEN, ":")}
METRICS = {
    "auroc": "AUROC",
    "auroc_within": "AUROC within predicted class",
    "auprc_correct": "AUPRC, correct positive",
    "auprc_misclassified": "AUPRC, misclassified positive",
    "aurc": "AURC",
    "e_aurc": "E-AURC",
    "augrc": "AUGRC",
    "fpr_at_95_tpr": "FPR at 95 % TPR",
    "minus_q": "AUROC minus that of Q",
    "minus_q_low": "low",
    "minus_q_high": "high",
}


def score_names(encoder: EvaluatedEncoder) -> list[str]:
    """Returns the scores that an encoder was ranked by, those of highest AUROC first."""
    names = encoder.array(EVALUATION, "score_names")
    found = [] if names is None else [str(name) for name in names]
    return sorted(found, key=lambda name: -(encoder.metric(EVALUATION, f"{name}/auroc") or 0.0))


def rivals(encoders: Encoders) -> Figure:
    """AUROC of every score minus that of Q, with its paired interval, highest first; one panel an encoder."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        names = score_names(encoder)
        for row, name in enumerate(names):
            middle, low, high = (
                encoder.metric(EVALUATION, f"{name}/{m}") for m in ("minus_q", "minus_q_low", "minus_q_high")
            )
            color = VERMILION if name.startswith("q_") else LIGHT_GREY if name in WITH_LABELS else BLUE
            axis.plot([low or 0.0, high or 0.0], [row, row], color=color, linewidth=2)
            axis.plot([middle or 0.0], [row], "o", color=color)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_yticks(range(len(names)), [_said(encoder, name) for name in names], fontsize=8)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_xlabel("AUROC minus that of Q")

    drawn = [e for e in encoders if score_names(e)]
    most = max((len(score_names(e)) for e in drawn), default=1)
    return panels(drawn, EVALUATION, draw, ylabel="", height=1.2 + 0.22 * most)


def components(encoders: Encoders) -> Figure:
    """ROC and precision-recall curves of `ratio` and of its two parts alone (fig. A.4), one row an encoder."""
    drawn = [e for e in encoders if score_names(e)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 3.2 * max(1, len(drawn))))
        grid = figure.subplots(max(1, len(drawn)), 2, squeeze=False)
        for (roc, precision_recall), encoder in zip(grid, drawn, strict=False):
            names = [str(name) for name in encoder.array(EVALUATION, "score_names")]
            correct = encoder.array(EVALUATION, "correct")
            for part, (color, line) in PARTS.items():
                values = encoder.array(EVALUATION, "scores")[names.index(part)]
                fpr, tpr, _ = roc_curve(correct, values)
                precision, recall, _ = precision_recall_curve(correct, values)
                text = f"{part}: {encoder.metric(EVALUATION, f'{part}/auroc'):.3f}"
                roc.plot(fpr, tpr, color=color, linestyle=line, label=text)
                precision_recall.step(recall, precision, color=color, linestyle=line, where="post")
            roc.plot([0, 1], [0, 1], color="#AAAAAA", linewidth=1)
            roc.legend(frameon=False, fontsize=9, loc="lower right")
            roc.set(xlabel="false positive rate", ylabel="true positive rate", title=label(encoder))
            precision_recall.axhline(float(np.mean(correct)), color="#AAAAAA", linewidth=1)
            precision_recall.set(xlabel="recall", ylabel="precision", title="correct positive; grey: base rate")
    return figure


def rivals_table(encoders: Encoders) -> tuple[list[str], list[list[str]]]:
    """Returns header and rows at full precision, one for each encoder and score."""
    header = ["encoder", "seed", "score", "needs labels", *METRICS.values()]
    rows = []
    for encoder in encoders:
        for name in score_names(encoder):
            values = [encoder.metric(EVALUATION, f"{name}/{metric}") for metric in METRICS]
            numbers = ["" if value is None else repr(value) for value in values]
            needs = "yes" if name in WITH_LABELS else "no"
            rows.append([encoder.name, str(encoder.settings.get("seed", "")), name, needs, *numbers])
    return header, rows


def _said(encoder: EvaluatedEncoder, name: str) -> str:
    return f"{name.replace('_', ' ')}  {encoder.metric(EVALUATION, f'{name}/auroc'):.2f}"
