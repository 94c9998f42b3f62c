"""What concepts say of the clusters of every encoder: the table, its figure, and what must not be compared."""

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from qscore.report.collect import EvaluatedEncoder
from qscore.report.panels import GREY, LIGHT_GREY, STYLE, WIDTH_IN, Encoders, colors, label
from qscore.report.reverse_probing.measures import (
    AMI,
    EVALUATION,
    FRACTION,
    MAP,
    MEASURES,
    NATS,
    NMI,
    NMI_CHANCE,
    SHUFFLED,
    TOP1,
    Table,
    dot,
    finite,
    full,
    metric,
    names,
)

PANELS = (NATS, FRACTION, AMI, NMI, TOP1, MAP)
KINDS = {"": "own", SHUFFLED: "shuffled"}
# What has to be the same for two probes to be compared, and how it is called.
ALIKE = {
    "num_clusters": "the number of clusters",
    "num_clusterings": "the number of clusterings",
    "grouping": "what made the clusters",
    "groups": "the groups of concepts",
    "solver": "the solver",
}


def overview(encoders: Encoders) -> Figure:
    """Measures of each probe (filled) and of the same concepts shuffled (hollow), ± deviation over clusterings."""
    drawn = [e for e in encoders if EVALUATION in e.results]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, 1.7 + 0.45 * len(drawn)))
        axes = figure.subplots(1, len(PANELS), sharey=True)
        for axis, measure in zip(axes, PANELS, strict=True):
            for row, (encoder, color) in enumerate(zip(drawn, colors(drawn), strict=True)):
                dot(axis, metric(encoder, SHUFFLED + measure.name), row + 0.17, measure, color=LIGHT_GREY, hollow=True)
                dot(axis, metric(encoder, measure.name), row - 0.13, measure, color=color)
                if measure is NMI and (chance := metric(encoder, NMI_CHANCE.name)[0]) is not None:
                    axis.plot(measure.factor * chance, row - 0.13, "|", color="black", markersize=11)
            axis.set_title(measure.title.replace(" (", "\n(").replace(" / ", " /\n"), fontsize=10)
            axis.margins(x=0.15)
            axis.grid(axis="x", color="#DDDDDD")
            axis.locator_params(axis="x", nbins=4)
            if measure.above_chance:
                axis.axvline(0, color="black", linewidth=0.8)
        axes[0].set_yticks(range(len(drawn)), names(drawn))
        axes[0].set_ylim(len(drawn) - 0.5, -0.5)
        figure.legend(handles=_handles(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def overview_table(encoders: Encoders) -> Table:
    """Returns header and rows as printed: two an encoder, its concepts and the same concepts shuffled."""
    header = ["Encoder", "Clusters × clusterings", "Concepts", "Linear probe top-1 (%)", *(m.title for m in MEASURES)]
    rows = []
    for encoder in (e for e in encoders if EVALUATION in e.results):
        settings = encoder.results[EVALUATION].settings
        clusters = _known(settings.get("num_clusters"), encoder, "num_clusters")
        made = f"{clusters} × {settings.get('num_clusterings', '–')}, {settings.get('grouping', '–')}"
        count = _known(None, encoder, "num_concepts")
        linear = TOP1.said((finite(encoder.metric("linear_probe", "top1")), None))
        for prefix, kind in KINDS.items():
            said = [m.said(metric(encoder, prefix + m.name)) for m in MEASURES]
            rows.append([label(encoder), made, count if kind == "own" else f"{count}, shuffled", linear, *said])
    return header, rows


def overview_csv(encoders: Encoders) -> Table:
    """Returns the same at full precision, as fractions, with how it was measured."""
    chosen = [*ALIKE, "kmeans", "seed"]
    counts = ["num_concepts", "num_samples"]
    measured = [name for m in (*MEASURES, "top5", "entropy_nats", "entropy_all_nats") for name in _with_deviation(m)]
    header = ["encoder", "role", "run", "training seed", "concepts", "linear_top1", *measured, *counts]
    rows = []
    for encoder in (e for e in encoders if EVALUATION in e.results):
        settings = encoder.results[EVALUATION].settings
        about = [encoder.name, encoder.role, encoder.path.name, str(encoder.settings.get("seed", ""))]
        how = [_plain(settings.get(name)) for name in chosen]
        for prefix, kind in KINDS.items():
            numbers = [encoder.metric(EVALUATION, prefix + name) for name in measured]
            sizes = [encoder.metric(EVALUATION, name) for name in counts]
            linear = encoder.metric("linear_probe", "top1")
            rows.append([*about, kind, *full([linear, *numbers, *sizes]), *how])
    return [*header, *(f"probe {name}" for name in chosen)], rows


def reverse_notes(encoders: Encoders) -> list[str]:
    """Returns a sentence for each thing in which probes differ, so that their numbers must not be compared."""
    probed = [e for e in encoders if EVALUATION in e.results]
    notes = []
    for name, said in ALIKE.items():
        found = dict.fromkeys(_plain(e.results[EVALUATION].settings.get(name)) for e in probed)
        if len(found) > 1:
            shown = "; ".join(list(found)[:4]) + ("; …" if len(found) > 4 else "")
            notes.append(f"Reverse probes differ in {said} ({shown}): their numbers cannot be compared.")
    counts = dict.fromkeys(e.metric(EVALUATION, "num_concepts") for e in probed)
    if len(counts) > 1:
        notes.append("Reverse probes differ in the number of concepts: their numbers cannot be compared.")
    return notes


def _with_deviation(measure: object) -> list[str]:
    name = str(getattr(measure, "name", measure))
    return [name, f"{name}_sd"]


def _known(value: object, encoder: EvaluatedEncoder, name: str) -> str:
    found = encoder.metric(EVALUATION, name) if value is None else value
    return "–" if found is None else f"{found:g}" if isinstance(found, (int, float)) else str(found)


def _plain(value: object) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _handles() -> list[Line2D]:
    kinds = (("concepts of the sample", GREY, GREY), ("shuffled concepts: chance", LIGHT_GREY, "white"))
    dots = [
        Line2D([], [], marker="o", linestyle="", color=color, markerfacecolor=face, label=text)
        for text, color, face in kinds
    ]
    return [
        *dots,
        Line2D([], [], marker="|", linestyle="", color="black", label="NMI of the same predictions by chance"),
    ]
