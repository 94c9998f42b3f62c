"""A chapter of the report: a heading, what to see, the figure, and what it is drawn from."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from qscore.report.collect import EvaluatedEncoder
from qscore.report.forced_choice.caption_table import frequent
from qscore.report.forced_choice.card import Card
from qscore.report.forced_choice.feature_scatter import has_features
from qscore.report.forced_choice.group_scatter import has_groups
from qscore.report.forced_choice.likeness import has_likeness
from qscore.report.forced_choice.proxy_table import has_proxy
from qscore.report.heatmaps import has_heatmaps
from qscore.report.published_figures import has_published, has_published_transfer
from qscore.report.reverse_probing.added import has_added
from qscore.report.reverse_probing.bridge import has_bridge
from qscore.report.reverse_probing.cumulative import has_cumulative
from qscore.report.reverse_probing.pairs import has_pairs
from qscore.report.reverse_probing.scatter import has_both
from qscore.report.reverse_probing.sweep import has_sweep
from qscore.report.reverse_probing.transfer import datasets
from qscore.report.rivals import score_names

# What is not simply the result of an evaluation: what training left, parts of a result, numbers that a paper has too.
PRESENT: dict[str, Callable[[EvaluatedEncoder], object]] = {
    "histograms": lambda encoder: encoder.histograms,
    "guard": lambda encoder: encoder.guard,
    "scores": score_names,
    "heatmaps": has_heatmaps,
    "published": has_published,
    "published_transfer": has_published_transfer,
    "reverse_scatter": has_both,
    "reverse_cumulative": has_cumulative,
    "reverse_added": has_added,
    "reverse_sweep": has_sweep,
    "reverse_pairs": has_pairs,
    "reverse_bridge": has_bridge,
    "reverse_transfer": datasets,
    "forced_choice_proxy": has_proxy,
    "forced_choice_groups": has_groups,
    "forced_choice_likeness": has_likeness,
    "forced_choice_captions": frequent,
    "forced_choice_features": has_features,
}
Table = tuple[list[str], list[list[str]]]


@dataclass(frozen=True)
class Chapter:
    """A figure of the report and what to see in it.

    Attributes:
        name: Of the picture file.
        title: Heading.
        caption: What to see.
        draw: Makes the figure.
        needs: Evaluation that it is drawn from, or one of `PRESENT`.
        table: The same as header and rows, as printed below the figure.
        csv: The same at full precision, written beside the page under the name of the chapter.
        printed: Tables of a paper to be unfolded below it, by their names in `ROW_TABLES`.
        cards: Of groups of images, below the table.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[list[EvaluatedEncoder]], Figure]
    needs: str
    table: Callable[[list[EvaluatedEncoder]], Table] | None = None
    csv: Callable[[list[EvaluatedEncoder]], Table] | None = None
    printed: tuple[str, ...] = ()
    cards: Callable[[list[EvaluatedEncoder]], list[Card]] | None = None

    def has(self, encoder: EvaluatedEncoder) -> bool:
        """Returns whether there is something of an encoder to draw."""
        return bool(PRESENT[self.needs](encoder)) if self.needs in PRESENT else self.needs in encoder.results
