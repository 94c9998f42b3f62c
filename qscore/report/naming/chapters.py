"""What the page of a naming study shows, in its order."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from qscore.report.naming import agreement, explained, matched, overview, shares
from qscore.report.naming.study import Grouped, Namings, Table
from qscore.report.published.naming import load_naming_table
from qscore.report.published.rows import PublishedRows

COVERAGES = (
    ("fig3", "activations", "How many maps are named? (fig. 3)", "Share of the significant maps that have a name."),
    (
        "fig4",
        "partial",
        "How many images have a word? (fig. 4)",
        "Share of the images in which one map at least is named. Images without a significant map are left out.",
    ),
    (
        "fig5",
        "complete",
        "How many images are named in full? (fig. 5)",
        "Share of the images in which every significant map is named.",
    ),
)
PURITIES = (
    (
        "table2",
        "cx_purity",
        "Does a concept stand for one feature? (table 2)",
        "CX-purity: share of the named maps that belong to the most frequent feature of their concept. With few "
        "features in a group it is high whatever people do.",
    ),
    (
        "table3",
        "xc_purity",
        "Does a feature stand for one concept? (table 3)",
        "XC-purity: share of the named maps that belong to the most frequent concept of their feature. The paper's "
        "averages over categories are sums divided by 13 for 12 categories; those here are means.",
    ),
)
AGREEMENT = (
    "Share of the maps named by both whose concepts are matched: one to one (D = 1), in stars (a concept and several "
    "of the other annotator, what the paper's words say of D = 2), and in families of diameter 2 (its definition, "
    "under which everything matches where all concepts meet). By chance: the same concepts on shuffled maps. Read the "
    "excess: without it, a high agreement may say nothing. ± is the deviation over pairs, which share annotators."
)
FIGURE_7 = (
    "Only maps that both named. The wider a ribbon, the more of them are in both concepts; coloured if matched. "
    "On the ribbon whether the names say the same (=), one means part of the other (≈), or neither (≠)."
)


@dataclass(frozen=True)
class NamingChapter:
    """A part of the page.

    Attributes:
        name: Of its files.
        title: Heading.
        caption: What to see.
        csv: The numbers.
        table: The same as printed.
        grouped: The same with titles above the header.
        draw: Makes the figure.
        printed: The paper's table, to be unfolded.
        needs_pairs: Whether it takes two annotators.
        remark: What else is to be said of this study.
    """

    name: str
    title: str
    caption: str
    csv: Callable[[Namings], Table]
    table: Callable[[Namings], Table] | None = None
    grouped: Callable[[Namings], Grouped] | None = None
    draw: Callable[[Namings], Figure] | None = None
    printed: str = ""
    needs_pairs: bool = False
    remark: Callable[[Namings], str] | None = None

    def content(self, namings: Namings) -> tuple[object, ...]:
        """Returns what its table macro needs."""
        found = self.grouped or self.table
        return () if found is None else found(namings)

    def published(self) -> PublishedRows | None:
        """Returns the paper's table."""
        return load_naming_table(self.printed) if self.printed else None


NAMING_CHAPTERS = (
    NamingChapter(
        "table1",
        "What there was to name (table 1)",
        "A significant map is of a feature that is needed for 90 % of the positive score of its image.",
        overview.table1_csv,
        table=overview.table1,
        printed="hamidi2018_table1",
    ),
    *(
        NamingChapter(name, title, caption, shares.coverage_csv(i, kind), draw=shares.coverage_figure(i))
        for i, (name, kind, title, caption) in enumerate(COVERAGES)
    ),
    NamingChapter(
        "fig6",
        "Do people name the same maps? (fig. 6)",
        "Share of the maps that nobody, one annotator, and so on to all of them named. High at both ends: they agree "
        "on what can be named.",
        shares.exactly_csv,
        draw=shares.exactly_figure,
    ),
    *(
        NamingChapter(
            *(name, title, caption, shares.purity_csv(kind)),
            table=shares.purity_table(kind),
            printed=f"hamidi2018_{name}",
        )
        for name, kind, title, caption in PURITIES
    ),
    NamingChapter(
        "table5",
        "Do people form the same concepts? (table 5)",
        AGREEMENT,
        agreement.agreement_csv,
        grouped=agreement.table5,
        printed="hamidi2018_table5",
        needs_pairs=True,
    ),
    NamingChapter(
        "table6",
        "Do matched concepts have the same names? (table 6)",
        "Share of the matched maps whose two names mean the same, or one means part of the other.",
        agreement.agreement_csv,
        grouped=agreement.table6,
        printed="hamidi2018_table6",
        needs_pairs=True,
        remark=agreement.confirmed,
    ),
)
EXPLAINED = NamingChapter(
    "table4",
    "What explains the images of a group? (table 4)",
    "The names of an image's maps together, with the share of the images of the group that have them.",
    explained.table4_csv,
    printed="hamidi2018_table4",
)
MATCHED = NamingChapter("fig7", "Two vocabularies side by side (fig. 7)", FIGURE_7, matched.edges_csv, needs_pairs=True)
