"""What the report shows, in its order: a heading, what to see, and the figure."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from qscore.report import figures
from qscore.report.collect import EvaluatedEncoder
from qscore.report.guard import guard_curves
from qscore.report.rivals import components, rivals, score_names

FROM_TRAINING = ("histograms", "guard")
SCORES = "scores"


@dataclass(frozen=True)
class Chapter:
    """A figure of the report and what to see in it.

    Attributes:
        name: Of the picture file.
        title: Heading.
        caption: What to see.
        draw: Makes the figure.
        needs: Evaluation that it is drawn from, "histograms" or "guard" for what training itself left, or "scores" for
            the scores beside Q of the prediction of misclassification.
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
        return bool(getattr(encoder, self.needs)) if self.needs in FROM_TRAINING else self.needs in encoder.results


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
        "components",
        "Q-Score and its two parts alone (figs. 7, A.4)",
        "Left: ROC; right: precision and recall, correct samples positive. The legend gives the AUROC of the whole "
        "score (ratio), of the mean of L ∩ D without the division, and of one over the L1 norm.",
        components,
        SCORES,
    ),
    Chapter(
        "rivals",
        "Is there a better score? Q-Score beside its rivals",
        "AUROC of every score minus that of Q on the same held-out images, with the paired 95 % bootstrap interval; "
        "right of the line is better than Q. Blue scores need no label, grey ones are ceilings that know the training "
        "labels, red ones are forms of Q. The number behind a name is its AUROC. rivals.csv holds the other metrics.",
        rivals,
        SCORES,
    ),
    Chapter(
        "training",
        "Q-Score during fine-tuning",
        "Median and middle half of Q over the augmented training views of each epoch. With lambda = 0 the curve shows "
        "what training longer does by itself.",
        figures.training_q,
        "histograms",
    ),
    Chapter(
        "guard",
        "What fine-tuning did to the encoder, epoch by epoch",
        "A fixed part of the training images, before the first step (epoch 0) and after every epoch. Thin lines "
        "are the margins; a cross marks the epoch that broke one. A fall that the control shares is that of training "
        "longer.",
        guard_curves,
        "guard",
    ),
)
