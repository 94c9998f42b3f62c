"""What the page of a study shows, in its order."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from qscore.report.forced_choice.study import DESCRIPTION, IMAGES, Study, all_columns
from qscore.report.forced_choice.study_counts import comparison_csv, comparison_table
from qscore.report.forced_choice.study_features import asked_features, features_csv, features_figure, features_table
from qscore.report.forced_choice.study_purity import by_purity, fig2_columns, fig4_columns, groups_csv
from qscore.report.forced_choice.study_ratings import rated, ratings_csv, ratings_figure, ratings_table
from qscore.report.forced_choice.study_tables import (
    Table,
    coherence_csv,
    coherence_table,
    describability_csv,
    describability_table,
)
from qscore.report.published.counts import COHERENCE_TABLE, DESCRIBABILITY_TABLE, PublishedCounts, load_counts

INTERVALS = (
    "In percent; 50 is guessing. 95 % CI is the paper's (Clopper-Pearson): it takes all answers for independent, and "
    "holds for these classes alone. Over classes: the classes are drawn again; of ten classes such an interval covers "
    "the mean of others like them in 89 % of studies, not in 95 %. IRR: Krippendorff's alpha × 100 of the side chosen; "
    "a dash where it is not defined."
)


@dataclass(frozen=True)
class StudyChapter:
    """A part of the page.

    Attributes:
        name: Of its files.
        title: Heading.
        caption: What to see.
        has: Whether there is something to show.
        csv: The numbers.
        table: The same as printed.
        grouped: The same with conditions above the header.
        draw: Makes the figure.
        printed: The paper's table, to be unfolded.
    """

    name: str
    title: str
    caption: str
    has: Callable[[list[Study]], object]
    csv: Callable[[list[Study]], Table]
    table: Callable[[list[Study]], Table] | None = None
    grouped: Callable[[list[Study]], tuple[list[str], list[list[str]], list[tuple[str, int]]]] | None = None
    draw: Callable[[list[Study]], Figure] | None = None
    printed: str = ""

    def content(self, studies: list[Study]) -> tuple[object, ...]:
        """Returns what its table macro needs."""
        found = self.grouped or self.table
        return () if found is None else found(studies)

    def published(self) -> PublishedCounts | None:
        """Returns the paper's table."""
        return load_counts(self.printed) if self.printed else None


STUDY_CHAPTERS = (
    StudyChapter(
        "table1",
        "Can the groups be learned from examples? (table 1)",
        "Some images of the group were shown. R: the wrong one of the two is any image outside it; H: one of the "
        "nearest group.",
        lambda studies: all_columns(studies, IMAGES),
        coherence_csv,
        grouped=coherence_table,
        printed=COHERENCE_TABLE,
    ),
    StudyChapter(
        "table2",
        "Can they be described? (table 2)",
        "A sentence stood in place of the images; the two to choose from are the same.",
        lambda studies: all_columns(studies, DESCRIPTION),
        describability_csv,
        grouped=describability_table,
        printed=DESCRIBABILITY_TABLE,
    ),
    StudyChapter(
        "comparisons",
        "Images against words, and whose words",
        "The same two queries under two conditions. McNemar's exact test counts a query once, by the majority of its "
        "answers, those tied in either not at all; it speaks of these classes, and Holm's correction is for all rows. "
        "Each kind of groups is compared for itself. "
        "The difference of the shares of right answers has an interval over classes, which of ten covers in about "
        "nine of ten studies.",
        lambda studies: any(len(study["pair_p"]) for study in studies),
        comparison_csv,
        table=comparison_table,
    ),
    StudyChapter(
        "fig2",
        "Every group by its purity (fig. 2)",
        "A group a dot, with its 95 % interval from some dozen answers: single groups are known roughly. Groups that "
        "are high on the left mean something to people that the labels do not name. Groups without a purity are left "
        "out of a panel in which others have one.",
        fig2_columns,
        lambda studies: groups_csv(studies, fig2_columns(studies)),
        draw=lambda studies: by_purity(studies, fig2_columns(studies)),
    ),
    StudyChapter(
        "fig4",
        "The same with hard negatives (fig. 4)",
        "The wrong image comes from the nearest group. A low share here says that two groups are alike, not that "
        "either means nothing.",
        fig4_columns,
        lambda studies: groups_csv(studies, fig4_columns(studies)),
        draw=lambda studies: by_purity(studies, fig4_columns(studies)),
    ),
    StudyChapter(
        "fig5",
        "How well the descriptions fit (fig. 5)",
        "Left: how often each rating was given, shaded by its share in the column. Right: whether the description "
        "suits at least one of the images shown.",
        rated,
        ratings_csv,
        table=ratings_table,
        draw=ratings_figure,
    ),
    StudyChapter(
        "features",
        "Do discriminative features mean more to people?",
        "The group of a feature is the images in which it is dominant. Thick: 95 % over features; thin: over answers, "
        "for these features. The difference has its interval over features; one that holds 0 shows nothing. "
        "Discriminative features are a band of sizes, so that no feature outside has the size of one inside: a "
        "difference may come from the size of the groups alone. The adjusted one takes a straight line in log size out "
        "of the features' shares; it is missing where sizes are not known.",
        asked_features,
        features_csv,
        table=features_table,
        draw=features_figure,
    ),
)
