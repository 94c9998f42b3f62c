"""The Q-Score regularizer: a term for any loss, and the callback that mines its features and attaches it."""

from qscore.regularizer.callback import QScoreRegularizer
from qscore.regularizer.penalty import QScorePenalty

__all__ = ["QScorePenalty", "QScoreRegularizer"]
