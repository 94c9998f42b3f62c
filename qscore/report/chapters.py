"""What the report shows, in its order."""

from qscore.report import change_figures, class_figures, figures, published_figures, selection_figures
from qscore.report.chapter import Chapter
from qscore.report.forced_choice.chapters import FORCED_CHOICE_CHAPTERS
from qscore.report.guard import guard_curves, guard_table
from qscore.report.heatmaps import feature_heatmaps
from qscore.report.reverse_probing.chapters import REVERSE_CHAPTERS
from qscore.report.rivals import components, rivals

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
        "feature_shares",
        "Features across classes (fig. 2)",
        "Share of each class's held-out images for which a feature is dominant: four of D that are most of one class, "
        "one of the upper tail. At most 20 classes, those of the largest shares; the largest in red.",
        class_figures.feature_shares,
        "classes",
    ),
    Chapter(
        "feature_weights",
        "The linear head's weights at these features (fig. A.1)",
        "The same features and classes. If D is about classes, the red class has by far the largest weight.",
        class_figures.feature_weights,
        "classes",
    ),
    Chapter(
        "class_averages",
        "Average representations of right and wrong images (figs. 5, A.8)",
        "A row a class (at most 20, those with most errors; images behind the name), dark where the average is large, "
        "on one scale left and right; D between blue lines. Grey: no image. Averages of few images are noisy.",
        class_figures.class_averages,
        "classes",
    ),
    Chapter(
        "feature_selection",
        "Accuracy on some of the features (figs. 4, A.2)",
        "Features chosen around the middle of D, from either tail of fig. 3, or at random (grey: mean and span of the "
        "draws). If D holds what matters, the blue curve lies above the others and reaches the line of all early.",
        selection_figures.selection_curves,
        "feature_selection",
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
        "scores",
    ),
    Chapter(
        "rivals",
        "Is there a better score? Q-Score beside its rivals",
        "AUROC of every score minus that of Q on the same held-out images, with the paired 95 % bootstrap interval; "
        "right of the line is better than Q. Blue scores need no label, grey ones are ceilings that know the training "
        "labels, red ones are forms of Q. The number behind a name is its AUROC. rivals.csv holds the other metrics.",
        rivals,
        "scores",
    ),
    Chapter(
        "class_accuracy",
        "Accuracy of each class before and after (fig. A.5)",
        "Line: the first encoder; dots: the others. Dots above the line are better. At most 100 classes, those that "
        "changed most; a class of few held-out images moves by chance.",
        change_figures.class_accuracy,
        "linear_probe",
    ),
    Chapter(
        "sparsity",
        "Sparsity of each representation (fig. A.6)",
        "At most 1,000 held-out images; up and to the right is sparser. In grey behind the others: the baseline.",
        change_figures.sparsity_scatter,
        "sparsity",
    ),
    Chapter(
        "transfer",
        "Linear probe on other data sets (table A.1)",
        "Frozen encoders; strength of the probe chosen on the training images of each data set.",
        selection_figures.transfer_accuracy,
        "transfer",
    ),
    Chapter(
        "heatmaps",
        "What single features look at (figs. 6, 8, A.9 to A.12)",
        "Held-out images that the probe gets right and wrong. For each class its strongest discriminative feature and "
        "a noisy one, with their numbers. The paper expects the former on the object and the latter beside it. Every "
        "map is divided by its largest value, so that faint ones are seen; on a ViT the maps are those of tokens.",
        feature_heatmaps,
        "heatmaps",
    ),
    Chapter(
        "published",
        "Beside the papers' numbers",
        "Hollow: as printed, one number without seeds; no paper has a control. Filled: measured here, one dot a run. A "
        "label names the settings that are not the paper's, or that it does not state.",
        published_figures.published_accuracy,
        "published",
    ),
    Chapter(
        "published_transfer",
        "Beside the paper's numbers on other data sets (table A.1)",
        "Hollow: as printed. Filled: measured here, one dot a run.",
        published_figures.published_transfer,
        "published_transfer",
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
        guard_table,
        guard_table,
    ),
    *REVERSE_CHAPTERS,
    *FORCED_CHOICE_CHAPTERS,
)
