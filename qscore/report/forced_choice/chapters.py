"""What the report shows of groups that can be described, without people; in its order."""

from qscore.report.chapter import Chapter
from qscore.report.forced_choice.caption_table import captions_csv, captions_figure, captions_table
from qscore.report.forced_choice.feature_scatter import feature_csv, feature_scatter, feature_table
from qscore.report.forced_choice.group_scatter import group_cards, group_csv, group_scatter
from qscore.report.forced_choice.likeness import likeness_csv, likeness_figure, likeness_table
from qscore.report.forced_choice.proxy_table import proxy_csv, proxy_figure, proxy_table
from qscore.report.published.rows import CAPTION_TABLE, LIKENESS_TABLE, PROXY_TABLE

FORCED_CHOICE_CHAPTERS = (
    Chapter(
        "forced_choice",
        "Can groups be described? What descriptions find without people (table 3)",
        "A description of each group retrieves held-out images. Binary: how often an image it finds is more of the "
        "group than one found for another group, 50 % by chance (dashed), ± over draws of the others. Top-1: how often "
        "it lies in the group, by chance one over their number (dotted). R@k: the same over the groups chosen for "
        "trials. A proxy: only people can say whether a group means something to people. Numbers of other groups or "
        "pools cannot be compared.",
        proxy_figure,
        "forced_choice_proxy",
        proxy_table,
        proxy_csv,
        printed=(PROXY_TABLE,),
    ),
    Chapter(
        "forced_choice_groups",
        "Which groups can be described? (figs. 2, 6 to 8)",
        "A group a dot: binary accuracy of its caption over its purity. High on the left are groups that words tell "
        "apart and labels do not. Ten images are found for a group, so that single dots move by chance. Below: cards "
        "of groups chosen for trials, the purest first, with the nearest group, which hard negatives are from.",
        group_scatter,
        "forced_choice_groups",
        csv=group_csv,
        cards=group_cards,
    ),
    Chapter(
        "forced_choice_likeness",
        "Groups beside labels, and beside those of other encoders (table 4)",
        "Blue: groups beside labels; grey: the same images grouped by two encoders. NMI is raised by chance, the more "
        "so with many groups of few images; AMI and ARI are 0 by chance.",
        likeness_figure,
        "forced_choice_likeness",
        likeness_table,
        likeness_csv,
        printed=(LIKENESS_TABLE,),
    ),
    Chapter(
        "forced_choice_captions",
        "The captions that come most often (table 5)",
        "Groups that share a caption are told apart by the encoder and not by the captioner's words.",
        captions_figure,
        "forced_choice_captions",
        captions_table,
        captions_csv,
        printed=(CAPTION_TABLE,),
    ),
    Chapter(
        "forced_choice_features",
        "Are discriminative features more describable?",
        "A feature a dot: the group of images in which it is dominant, and what its caption finds. D is a band of "
        "sizes, so that features outside are rarer or commoner by definition, and size alone makes a difference: the "
        "adjusted one removes a straight line in its logarithm. Brackets: 95 % over features of one encoder; they say "
        "nothing about other training seeds.",
        feature_scatter,
        "forced_choice_features",
        feature_table,
        feature_csv,
    ),
)
