"""From images to representations, and from representations to the Q-Score of each sample."""

from qscore.score.cache import cached_representations
from qscore.score.dominance import dominance_counts, dominant_features
from qscore.score.epsilon import AUTO, MAX_EMPTY_SHARE, empty_share, epsilon_number, largest_epsilon
from qscore.score.extract import extract, load_representations, save_representations
from qscore.score.features import DiscriminativeFeatures, discriminative_features
from qscore.score.nearest import neighbours
from qscore.score.q_score import FORMULAS, OVER_SETS, QScore, q_score, score_over, soft_score

__all__ = [
    "AUTO",
    "FORMULAS",
    "MAX_EMPTY_SHARE",
    "OVER_SETS",
    "DiscriminativeFeatures",
    "QScore",
    "cached_representations",
    "discriminative_features",
    "dominance_counts",
    "dominant_features",
    "empty_share",
    "epsilon_number",
    "extract",
    "largest_epsilon",
    "load_representations",
    "neighbours",
    "q_score",
    "save_representations",
    "score_over",
    "soft_score",
]
