"""One self-contained HTML page with its figures inside, and every table as CSV beside it."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment
from matplotlib.figure import Figure

from qscore import __version__
from qscore.files import write_text, written_whole
from qscore.report import figures, tables
from qscore.report.collect import EvaluatedEncoder
from qscore.report.guard import guard_curves, guard_notes, guard_table

PAGE = "index.html"


@dataclass(frozen=True)
class Chapter:
    """A figure of the report and what to see in it.

    Attributes:
        name: Of the picture file.
        title: Heading.
        caption: What to see.
        draw: Makes the figure.
        evaluation: Result that it needs; none for what is drawn from the training itself.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[list[EvaluatedEncoder]], Figure]
    evaluation: str


CHAPTERS = (
    Chapter(
        "summary",
        "The table as a picture",
        "Look first at control against Q-Score: both were trained for the same number of steps from the same baseline. "
        "Lines are 95 % bootstrap intervals over the held-out images; they say nothing about other training seeds.",
        figures.summary,
        "linear_probe",
    ),
    Chapter(
        "dominance",
        "Which features are dominant how often (fig. 3)",
        "Features in ascending order of the share of training images for which they stand epsilon standard deviations "
        "above the other features of the image. The shaded band is D, the discriminative features: neither silent or "
        "image-specific (left) nor active for images of many kinds (right).",
        figures.dominance_counts,
        "dominance",
    ),
    Chapter(
        "representations",
        "Representations of held-out images (fig. 1)",
        "Each row is an image, each column a feature in the order of the figure above, dark where it is large; D lies "
        "between the blue lines. Sparse rows with a few dark cells inside D have a high Q-Score.",
        figures.representation_heatmaps,
        "dominance",
    ),
    Chapter(
        "q_histograms",
        "Q-Score of right and wrong samples (fig. A.3)",
        "If Q predicts the probe's errors, the hatched distribution (misclassified) lies left of the plain one. A "
        "spike at 0 holds the samples with an empty L ∩ D, which Q cannot rank.",
        figures.score_histograms,
        "misclassification",
    ),
    Chapter(
        "ranking",
        "Does Q predict the probe's errors? (fig. 7)",
        "Left: above the diagonal is better than chance; the legend gives the AUROC. Middle: thin lines are base "
        "rates, what a random score would reach. Right: the error rate among the images kept when those of lowest Q "
        "are set aside; a useful score makes the curve rise to the right.",
        figures.ranking_curves,
        "misclassification",
    ),
    Chapter(
        "training",
        "Q-Score during fine-tuning",
        "Median and middle half of Q over the augmented training views of each epoch. With lambda = 0 the curve shows "
        "what training longer does by itself.",
        figures.training_q,
        "dominance",
    ),
    Chapter(
        "guard",
        "What fine-tuning did to the encoder, epoch by epoch",
        "A fixed part of the training images, before the first step (epoch 0) and after every epoch. "
        "Thin lines are the margins; a cross marks an epoch that broke one. A fall that "
        "the control shares comes from training longer.",
        guard_curves,
        "",
    ),
)


def write_report(encoders: list[EvaluatedEncoder], out: Path) -> Path:
    """Writes `index.html`, the pictures it contains and the tables; returns the page."""
    pictures = write_pictures(encoders, out)
    header, rows = tables.main_table(encoders)
    guard_header, guard_rows = guard_table(encoders)
    write_text(out / "comparison.csv", tables.main_csv(encoders))
    write_text(out / "per_class.csv", tables.per_class_csv(encoders))
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        files("qscore.report").joinpath("page.html.jinja").read_text(encoding="utf-8")
    )
    page = template.render(
        version=__version__,
        header=header,
        rows=rows,
        roles=[e.role.lower() for e in encoders],
        caution=tables.caution(encoders),
        notes=[*guard_notes(encoders), *tables.notes(encoders)],
        guard_header=guard_header,
        guard_rows=guard_rows,
        chapters=[(chapter, _inline(pictures[chapter.name])) for chapter in CHAPTERS if chapter.name in pictures],
        runs=[(e.name, e.path.name, e.settings) for e in encoders],
    )
    write_text(out / PAGE, page)
    return out / PAGE


def write_pictures(encoders: list[EvaluatedEncoder], out: Path) -> dict[str, Path]:
    """Writes every figure whose results are there as a PNG file; returns them by name."""
    written = {}
    for chapter in CHAPTERS:
        if chapter.name != "guard" and not any(chapter.evaluation in e.results for e in encoders):
            continue
        if chapter.name == "guard" and not any(e.guard for e in encoders):
            continue
        if chapter.name == "training" and not any(e.histograms for e in encoders):
            continue
        path = out / f"{chapter.name}.png"
        buffer = io.BytesIO()
        chapter.draw(encoders).savefig(buffer, format="png")
        with written_whole(path) as temporary:
            temporary.write_bytes(buffer.getvalue())
        written[chapter.name] = path
    return written


def _inline(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
