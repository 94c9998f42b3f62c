"""What descriptions find without people (table 3)."""

import matplotlib as mpl
from matplotlib.figure import Figure

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import STYLE, WIDTH_IN, Encoders, colors, elided, label
from qscore.report.reverse_probing.measures import Measure, Table, dot, finite, full, metric

EVALUATION = "forced_choice"
ROWS = {
    "random_image": "Random image",
    "nearest_image": "Representative image",
    "rouge": "ROUGE-L",
    "captions_without_negatives": "Caption, without negatives",
    "captions": "Caption, with negatives",
    "descriptions": "Description by people",
}
TOP1, TOP5, BINARY = Measure("top1", "Top-1 (%)"), Measure("top5", "Top-5 (%)"), Measure("binary", "Binary (%)")
MEASURES = (TOP1, TOP5, BINARY, Measure("recall1", "R@1 (%)"), Measure("recall5", "R@5 (%)"))


def has_proxy(encoder: EvaluatedEncoder) -> bool:
    """Returns whether any description found any image."""
    return bool(_rows(encoder))


def grouping(encoder: EvaluatedEncoder) -> str:
    """Returns what made its groups, and how many there are."""
    found = encoder.metric(EVALUATION, "num_groups")
    made = encoder.results[EVALUATION].settings.get("grouping", "–")
    return f"{made}, {found:.0f}" if found is not None else str(made)


def proxy_figure(encoders: Encoders) -> Figure:
    """Binary and top-1 of every kind of description, ± deviation over draws; dashed and dotted: chance."""
    drawn = [e for e in encoders if has_proxy(e)]
    shown = [row for row in ROWS if any(row in _rows(e) for e in drawn)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.2 + len(shown) * (0.35 + 0.16 * len(drawn))))
        axes = figure.subplots(1, 2, sharey=True)
        for axis, measure in zip(axes, (BINARY, TOP1), strict=True):
            for i, (encoder, color) in enumerate(zip(drawn, colors(drawn), strict=True)):
                shift = 0.6 * ((i + 0.5) / len(drawn) - 0.5)
                for row, name in enumerate(shown):
                    dot(axis, metric(encoder, f"{name}/{measure.name}", EVALUATION), row + shift, measure, color=color)
                axis.plot([], [], "o", color=color, label=elided(label(encoder)))
            axis.set_xlabel(measure.title)
            axis.grid(axis="x", color="#DDDDDD")
        axes[0].axvline(50, color="black", linestyle="--", linewidth=1)
        for encoder, color in zip(drawn, colors(drawn), strict=True):
            if num := encoder.metric(EVALUATION, "num_groups"):
                axes[1].axvline(100 / num, color=color, linestyle=":", linewidth=1)
        axes[0].set_yticks(range(len(shown)), [ROWS[name] for name in shown])
        axes[0].set_ylim(len(shown) - 0.5, -0.5)
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9
        )
    return figure


def proxy_table(encoders: Encoders) -> Table:
    """Returns table 3 as printed, with chance."""
    rows = []
    for encoder in encoders:
        for name in _rows(encoder):
            said = [m.said(metric(encoder, f"{name}/{m.name}", EVALUATION)) for m in MEASURES]
            rows.append([label(encoder), grouping(encoder), ROWS[name], *said])
        if has_proxy(encoder):
            by_chance = [m.said(metric(encoder, f"chance/{m.name}", EVALUATION)) for m in MEASURES if m is not BINARY]
            rows.append([label(encoder), grouping(encoder), "chance", *by_chance[:2], "50.0", *by_chance[2:]])
    return ["Encoder", "Groups", "Description", *(m.title for m in MEASURES)], rows


def proxy_csv(encoders: Encoders) -> Table:
    """Returns the same at full precision, as fractions."""
    keys = [f"{m.name}{end}" for m in MEASURES for end in (("", "_sd") if m is BINARY else ("",))]
    return ["encoder", "groups", "description", *keys], [
        [label(e), grouping(e), name, *full(e.metric(EVALUATION, f"{name}/{key}") for key in keys)]
        for e in encoders
        for name in _rows(e)
    ]


def _rows(encoder: EvaluatedEncoder) -> list[str]:
    keys = [m.name for m in MEASURES]
    return [row for row in ROWS if any(finite(encoder.metric(EVALUATION, f"{row}/{key}")) is not None for key in keys)]
