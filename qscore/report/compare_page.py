"""The comparison as text, as a CSV file, as a picture and as a page."""

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jinja2 import Environment
from matplotlib.figure import Figure

from qscore import __version__
from qscore.errors import UserError
from qscore.files import write_text
from qscore.report.collect import EvaluatedEncoder
from qscore.report.compare import EFFECT, HEADER, Difference, difference_rows, differences
from qscore.report.compared_metrics import METRICS
from qscore.report.pairing import Comparison, comparisons
from qscore.report.panels import GREY, LIGHT_GREY, STYLE, VERMILION, WIDTH_IN
from qscore.report.pictures import inline, write_figure
from qscore.report.tables import as_csv

MULTIPLE = (
    "Every comparison looks at several metrics at once, so about one interval in twenty misses 0 by chance: the last "
    "but one column is the p value after Holm's correction for them."
)
COLUMNS = 4
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>qscore comparison</title><style>
body{margin:0 auto;max-width:1180px;padding:2rem;font:16px/1.5 system-ui,sans-serif;color:#1a1a1a}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .5rem;text-align:right;border-bottom:1px solid #d9d9d9}
th:first-child,td:first-child{text-align:left}
.caution{background:#fff7e6;border-left:4px solid #e69f00;padding:.5rem 1rem;margin:.4rem 0}img{width:100%}
tr.effect td{font-weight:600}</style></head><body><h1>Runs against runs</h1><p>{{ multiple }}</p>
{% for comparison, rows in parts %}<h2>{{ comparison.title }}</h2>
{% for text in comparison.cautions %}<p class="caution">{{ text }}</p>{% endfor %}
<table><thead><tr>{% for name in header %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr{% if row[-1] == effect %} class="effect"{% endif %}>
{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table>{% endfor %}<h2>The tables as a picture</h2><img alt="Paired differences" src="{{ picture }}">
<p>Circles: one training seed each. Thick lines: 95 % over seeds; thin: 95 % over held-out images. Red: an effect.</p>
<footer>qscore {{ version }}</footer></body></html>"""

Compared = list[tuple[Comparison, list[Difference]]]


def compare(encoders: list[EvaluatedEncoder], out: Path | None = None) -> str:
    """Returns the comparison as text; writes `compare.csv`, `compare.png` and `compare.html` where `out` is given.

    Raises:
        UserError: If no run with the regularizer, and no control, can be set against anything.
    """
    found: Compared = [(comparison, differences(comparison)) for comparison in comparisons(encoders)]
    if not found:
        raise UserError(
            "Expected runs to compare: some with the regularizer and their control (lambda=0) of the same seeds, or "
            "the baselines they started from. Name the folder of the sweep."
        )
    if out is not None:
        _write(found, out)
    blocks = []
    for comparison, each in found:
        lines = [comparison.title, *(f"  ! {text}" for text in comparison.cautions)]
        blocks.append("\n".join([*lines, _aligned([HEADER, *difference_rows(each)])]))
    return "\n\n".join([*blocks, MULTIPLE])


def forest(found: Compared) -> Figure:
    """Paired differences, one panel a metric, one row a comparison."""
    shown = [m for m in METRICS if any(d.metric == m for _, each in found for d in each)]
    num_rows = math.ceil(len(shown) / COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN * 1.3, num_rows * (1.4 + 0.34 * len(found))))
        grid = figure.subplots(num_rows, COLUMNS, squeeze=False, sharey=True)
        for axis, metric in zip(grid.flat, shown, strict=False):
            for row, (_, each) in enumerate(found):
                for d in (d for d in each if d.metric == metric):
                    color = VERMILION if d.verdict == EFFECT else GREY
                    if len(d.treated) > 1:
                        axis.plot(d.seeds, [row, row], color=color, linewidth=4, alpha=0.5)
                    if d.images is not None:
                        axis.plot(d.images, [row, row], color="black", linewidth=1)
                    axis.plot(d.differences, [row] * len(d.treated), "o", mfc="white", mec=color, markersize=5)
                    axis.plot([np.mean(d.differences)], [row], "|", color=color, markersize=14, markeredgewidth=2)
            axis.axvline(0, color=LIGHT_GREY, linewidth=1)
            axis.set_title(metric.title)
            axis.margins(x=0.1)
            axis.locator_params(axis="x", nbins=5)
        for axis in grid.flat[len(shown) :]:
            axis.set_visible(False)
        grid[0][0].set_yticks(
            range(len(found)), [f"{c.treated} − {c.reference}\n{c.where}" for c, _ in found], fontsize=8
        )
        for line in grid:
            line[0].tick_params(axis="y", labelsize=8)
        grid[0][0].set_ylim(len(found) - 0.5, -0.5)
    return figure


def _write(found: Compared, out: Path) -> None:
    picture = inline(write_figure(forest(found), out / "compare.png"))
    header = ["treated", "reference", "where", "metric", "seed", "treated value", "reference value"]
    rows = [
        [c.treated, c.reference, c.where, d.metric.title, str(pair.seed), repr(one), repr(other)]
        for c, each in found
        for d in each
        for pair, one, other in zip(c.pairs, d.treated, d.reference, strict=True)
    ]
    write_text(out / "compare_seeds.csv", as_csv(header, rows))
    table = [[c.treated, c.reference, c.where, *row] for c, each in found for row in difference_rows(each)]
    write_text(out / "compare.csv", as_csv(["treated", "reference", "where", *HEADER], table))
    template = Environment(autoescape=True).from_string(PAGE)
    parts = [(c, difference_rows(each)) for c, each in found]
    write_text(
        out / "compare.html",
        template.render(
            parts=parts, effect=EFFECT, header=HEADER, multiple=MULTIPLE, picture=picture, version=__version__
        ),
    )


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
