"""A chapter of the report: a heading, what to see, the figure, and what it is drawn from."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from qscore.report.collect import EvaluatedEncoder
from qscore.report.published_figures import has_published, has_published_transfer
from qscore.report.rivals import score_names

FROM_TRAINING = ("histograms", "guard")
SCORES = "scores"
PUBLISHED = {"published": has_published, "published_transfer": has_published_transfer}


@dataclass(frozen=True)
class Chapter:
    """A figure of the report and what to see in it.

    Attributes:
        name: Of the picture file.
        title: Heading.
        caption: What to see.
        draw: Makes the figure.
        needs: Evaluation that it is drawn from, "histograms" or "guard" for what training itself left, "scores" for
            the scores beside Q of the prediction of misclassification, or one of `PUBLISHED` for numbers that a paper
            has too.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[list[EvaluatedEncoder]], Figure]
    needs: str

    def has(self, encoder: EvaluatedEncoder) -> bool:
        """Returns whether there is something of an encoder to draw."""
        if self.needs == SCORES:
            return bool(score_names(encoder))
        if self.needs in PUBLISHED:
            return PUBLISHED[self.needs](encoder)
        return bool(getattr(encoder, self.needs)) if self.needs in FROM_TRAINING else self.needs in encoder.results
