"""Heat maps of single features, as the evaluation left them."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import STYLE, WIDTH_IN, Encoders, label

EVALUATION = "heatmaps"
SAID = {"gradient": "gradient", "grad_cam": "Grad-CAM", "integrated_gradients": "integr. gradients"}
FEATURES = ("discriminative", "noisy")
MANY, FEW_ROWS, ROWS = 3, 4, 8
ROW_HEIGHT_IN, HEAD = 1.25, 0.6


def has_heatmaps(encoder: EvaluatedEncoder) -> bool:
    """Returns whether there are maps to draw: an empty D has none."""
    return encoder.array(EVALUATION, "maps") is not None


def feature_heatmaps(encoders: Encoders) -> Figure:
    """Images beside what a discriminative and a noisy feature of their class look at (figs. 6, 8, A.9 to A.12)."""
    drawn = [e for e in encoders if has_heatmaps(e)]
    most = FEW_ROWS if len(drawn) > MANY else ROWS
    counts = [min(most, len(e.array(EVALUATION, "images"))) for e in drawn]
    num_columns = 1 + 2 * max(e.array(EVALUATION, "maps").shape[2] for e in drawn)
    with mpl.rc_context({**STYLE, "figure.constrained_layout.use": False}):
        figure = Figure(figsize=(WIDTH_IN, ROW_HEIGHT_IN * (sum(counts) + HEAD * len(drawn))), layout="constrained")
        parts = figure.subfigures(len(drawn), 1, squeeze=False, height_ratios=[count + HEAD for count in counts])
        for part, encoder, count in zip(parts[:, 0], drawn, counts, strict=True):
            part.suptitle(label(encoder), fontsize=11)
            for row, axes in enumerate(part.subplots(count, num_columns, squeeze=False)):
                _draw_row(list(axes), encoder, row, is_first=row == 0)
    return figure


def _draw_row(axes: list[Axes], encoder: EvaluatedEncoder, row: int, *, is_first: bool) -> None:
    image, maps = encoder.array(EVALUATION, "images")[row], encoder.array(EVALUATION, "maps")[row]
    truth, said, features = (encoder.array(EVALUATION, name)[row] for name in ("labels", "predictions", "features"))
    kinds = encoder.results[EVALUATION].settings["kinds"]
    for axis in axes:
        axis.set_axis_off()
    axes[0].imshow(image)
    mark = "right" if truth == said else f"taken for {said}"
    axes[0].set_title(f"{truth}: {mark}", fontsize=8)
    for i, feature in enumerate(FEATURES):
        for k, kind in enumerate(kinds):
            axis = axes[1 + i * len(kinds) + k]
            axis.imshow(image.mean(2), cmap="gray", vmin=0, vmax=400, alpha=0.9)
            axis.imshow(np.abs(maps[i, k].astype(float)), cmap="inferno", vmin=0, vmax=1, alpha=0.65)
            what = f"{features[i]}" if maps[i, k].any() else f"{features[i]}: all zero"
            axis.set_title(f"{feature}\n{SAID[kind]}\n{what}" if is_first else what, fontsize=7)
