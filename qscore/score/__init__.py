"""From images to representations, and from representations to the Q-Score of each sample."""

from qscore.score.cache import cached_representations
from qscore.score.chunks import by_rows
from qscore.score.dominance import dominance_counts, dominant_features
from qscore.score.epsilon import (
    AUTO,
    MAX_EMPTY_SHARE,
    empty_share,
    epsilon_number,
    largest_epsilon,
    search_sample,
)
from qscore.score.extract import extract, extract_rows
from qscore.score.features import DiscriminativeFeatures, discriminative_features
from qscore.score.loops import OwnLoop, PredictLoop, extraction_trainer
from qscore.score.nearest import neighbours
from qscore.score.q_score import FORMULAS, OVER_SETS, QScore, q_score, score_over, soft_score
from qscore.score.storage import load_representations, save_representations
from qscore.score.work import own_batches

__all__ = [
    "AUTO",
    "FORMULAS",
    "MAX_EMPTY_SHARE",
    "OVER_SETS",
    "DiscriminativeFeatures",
    "OwnLoop",
    "PredictLoop",
    "QScore",
    "by_rows",
    "cached_representations",
    "discriminative_features",
    "dominance_counts",
    "dominant_features",
    "empty_share",
    "epsilon_number",
    "extract",
    "extract_rows",
    "extraction_trainer",
    "largest_epsilon",
    "load_representations",
    "neighbours",
    "own_batches",
    "q_score",
    "save_representations",
    "score_over",
    "search_sample",
    "soft_score",
]
