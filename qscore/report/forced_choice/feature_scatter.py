"""Are discriminative features more describable than those outside the band, without people?"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, ScalarFormatter

from qscore.report.collect import EvaluatedEncoder
from qscore.report.forced_choice.proxy_table import EVALUATION
from qscore.report.forced_choice.study_features import COLORS
from qscore.report.panels import Encoders, label, panels
from qscore.report.reverse_probing.measures import Table, finite, full

DIFFERENCES = {"difference": "difference, points", "difference_adjusted": "adjusted for size, points"}
MEANS = {"discriminative": "discriminative, %", "outside": "outside, %"}
MEANS |= {"outside_rarer": "of these rarer, %", "outside_commoner": "of these commoner, %"}
COLUMNS = ("feature", "feature_band", "feature_binary", "feature_size", "feature_caption")


def has_features(encoder: EvaluatedEncoder) -> bool:
    """Returns whether single features were asked about."""
    found = encoder.array(EVALUATION, "feature_binary")
    return found is not None and bool(np.isfinite(found).any())


def feature_scatter(encoders: Encoders) -> Figure:
    """Binary accuracy of each feature's caption over how often it is dominant; bars: the means of both kinds."""

    def draw(axis: Axes, encoder: EvaluatedEncoder) -> None:
        band, binary, size = (encoder.array(EVALUATION, f"feature_{name}") for name in ("band", "binary", "size"))
        for name, color in COLORS.items():
            kind = (band == name) & np.isfinite(binary)
            if kind.any():
                text = f"{name}, {kind.sum()}: mean {100 * binary[kind].mean():.1f} %"
                axis.scatter(size[kind], binary[kind], s=16, color=color, alpha=0.7, linewidths=0, label=text)
                ends = [size[kind].min(), size[kind].max()]
                axis.plot(ends, [binary[kind].mean()] * 2, color=color, linewidth=2)
        axis.axhline(0.5, color="black", linestyle="--", linewidth=1, label="chance")
        for name, title in DIFFERENCES.items():
            axis.plot([], [], linestyle="", label=f"{title}: {_said(encoder, name)}")
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel("training images in which the feature is dominant")
        axis.set_ylim(-0.02, 1.75)
        axis.set_yticks(np.linspace(0, 1, 6))
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        axis.grid(axis="y", color="#DDDDDD")
        axis.legend(frameon=False, fontsize=8, loc="upper left")

    drawn = [e for e in encoders if has_features(e)]
    return panels(drawn, EVALUATION, draw, ylabel="binary accuracy of its caption", height=4.2)


def feature_table(encoders: Encoders) -> Table:
    """Returns the means of both kinds and their differences as printed."""
    header = ["Encoder", "Features inside, outside", *MEANS.values(), *DIFFERENCES.values()]
    rows = []
    for encoder in (e for e in encoders if has_features(e)):
        counts = [encoder.metric(EVALUATION, f"features/num_{name}") for name in list(MEANS)[:2]]
        means = [finite(encoder.metric(EVALUATION, f"features/{name}")) for name in MEANS]
        said = ["–" if mean is None else f"{100 * mean:.1f}" for mean in means]
        number = ", ".join("–" if count is None else f"{count:.0f}" for count in counts)
        rows.append([label(encoder), number, *said, *(_said(encoder, name) for name in DIFFERENCES)])
    return header, rows


def feature_csv(encoders: Encoders) -> Table:
    """Returns every feature."""
    rows = []
    for encoder in (e for e in encoders if has_features(e)):
        feature, band, binary, size, caption = (encoder.array(EVALUATION, name).tolist() for name in COLUMNS)
        for j, kind, share, count, text in zip(feature, band, binary, size, caption, strict=True):
            rows.append([label(encoder), str(j), kind, *full([share]), str(count), text])
    return ["encoder", "feature", "band", "binary", "size", "caption"], rows


def _said(encoder: EvaluatedEncoder, name: str) -> str:
    value, low, high = (finite(encoder.metric(EVALUATION, f"features/{name}{end}")) for end in ("", "_low", "_high"))
    if value is None:
        return "–"
    ends = "" if low is None or high is None else f" [{100 * low:+.1f},\u00a0{100 * high:+.1f}]"
    return f"{100 * value:+.1f}{ends}"
