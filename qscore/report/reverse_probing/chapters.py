"""What the report shows of reverse probes, in its order."""

from qscore.report.chapter import Chapter
from qscore.report.published.rows import (
    LAINA_D1,
    LAINA_TABLE_2,
    LAINA_TABLE_3,
    LAINA_TABLE_4,
    LAINA_TABLE_6,
    LAINA_TABLE_7,
)
from qscore.report.reverse_probing.added import added_csv, added_groups, added_table
from qscore.report.reverse_probing.bridge import bridge_csv, bridge_scatter, bridge_table
from qscore.report.reverse_probing.cumulative import cumulative_bars, cumulative_csv, cumulative_table
from qscore.report.reverse_probing.overview import overview, overview_csv, overview_table
from qscore.report.reverse_probing.pair_figure import confusion_pairs
from qscore.report.reverse_probing.pairs import pairs_csv, pairs_table
from qscore.report.reverse_probing.scatter import published_scatter
from qscore.report.reverse_probing.sweep import k_sweep, sweep_csv, sweep_table
from qscore.report.reverse_probing.transfer import reverse_transfer, transfer_csv, transfer_table

REVERSE_CHAPTERS = (
    Chapter(
        "reverse_probing",
        "How much of a representation can be said in words",
        "A linear probe tells from the concepts of an image which cluster of the representation it lies in (Laina et "
        "al., 2022). Filled: the image's own concepts; hollow: those of another image, where probes learn nothing and "
        "name the largest clusters. The stroke beside NMI is what the same predictions would have by chance, often "
        "most of it: trust AMI and information, which are 0 by chance and may be below. ± is over clusterings of one "
        "encoder: it says nothing about other training seeds. Numbers of different clusters or concepts cannot be "
        "compared.",
        overview,
        "reverse_probing",
        overview_table,
        overview_csv,
        printed=(LAINA_TABLE_6, LAINA_D1),
    ),
    Chapter(
        "reverse_published",
        "Linear and reverse probe: beside the paper's (fig. 3)",
        "Hollow: printed in table 2 of Laina et al., ImageNet with 1000 clusters and 2343 concepts. Diamonds: measured "
        "here, with other images, concepts and numbers of clusters. Whether a diamond lies above or below the line "
        "therefore says nothing of the encoder; only the order of encoders measured alike does. The numbers "
        "behind the names are epochs.",
        published_scatter,
        "reverse_scatter",
        printed=(LAINA_TABLE_2,),
    ),
    Chapter(
        "reverse_cumulative",
        "Which concepts say how much, added one after another (fig. 4)",
        "Each piece is what a group adds to those before it, so its length depends on the order; a narrow piece took "
        "something away. Line at the end: deviation over clusterings. If the bar without labels nearly reaches the one "
        "with them, the clusters are not about the fine classes.",
        cumulative_bars,
        "reverse_cumulative",
        cumulative_table,
        cumulative_csv,
    ),
    Chapter(
        "reverse_added",
        "What one group of concepts adds to the labels (table 3)",
        "Change when a group is added to the labels, mean and deviation of the differences of the same clustering. "
        "Hollow: the same group dealt to other images, which can add nothing. A group counts where its dot is right of "
        "its hollow one by more than both lines. NMI can fall while the information rises; the paper prints NMI alone.",
        added_groups,
        "reverse_added",
        added_table,
        added_csv,
        printed=(LAINA_TABLE_3,),
    ),
    Chapter(
        "reverse_sweep",
        "Does it depend on the number of clusters? (figs. 6, 7)",
        "Information grows with K because the entropy does: read it beside its fraction of the entropy. What should "
        "hold is the order of the encoders. With few images a cluster, NMI rises by chance alone.",
        k_sweep,
        "reverse_sweep",
        sweep_table,
        sweep_csv,
    ),
    Chapter(
        "reverse_pairs",
        "Clusters that a group of concepts tells apart (figs. 5, 8 to 11)",
        "Pairs between which a probe chooses better once a group of concepts is known beside the labels (if any), by "
        "McNemar's exact test, p corrected by Holm for every pair and group that was tested; at most twelve. Bars: "
        "the concepts whose weights differ most, blue for the first cluster and red for the second; the words show the "
        "same, larger for a larger difference. p speaks of these probes of one clustering.",
        confusion_pairs,
        "reverse_pairs",
        pairs_table,
        pairs_csv,
    ),
    Chapter(
        "reverse_bridge",
        "Is what cannot be said also what Q finds weak?",
        "A held-out image a point: how surprising its cluster is, given its concepts, against its Q-Score; crosses: "
        "the linear probe is wrong. Below 0 in Spearman: a low Q goes with surprise. AUROC: how well each tells wrong "
        "from right; brackets are 95 %. Rarity is the surprise of who knows no concept: what words add is the "
        "difference to it. Labels are no part of surprise where there are other concepts.",
        bridge_scatter,
        "reverse_bridge",
        bridge_table,
        bridge_csv,
    ),
    Chapter(
        "reverse_transfer",
        "Reverse probes on other data sets (tables 4, 7)",
        "Filled: the clusters and probe that were kept, applied to new images. Hollow: clustered and probed anew, so "
        "other clusters. Bar: where the probe was fitted. A fall from the bar to the filled dot mixes new images with "
        "what the concepts miss in them.",
        reverse_transfer,
        "reverse_transfer",
        transfer_table,
        transfer_csv,
        printed=(LAINA_TABLE_4, LAINA_TABLE_7),
    ),
)
