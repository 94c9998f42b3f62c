"""Fine-tune self-supervised image encoders with the Q-Score regularizer, and measure what that did.

The public names are loaded when first used, so that `import qscore` and the report stay free of torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from qscore.encoders import Encoder, load_encoder
    from qscore.records import Representations
    from qscore.regularizer import QScorePenalty, QScoreRegularizer
    from qscore.score import (
        DiscriminativeFeatures,
        QScore,
        dominant_features,
        extract,
        q_score,
    )
    from qscore.watch import CollapseWatch

_HOME = {
    "dominant_features": "qscore.score",
    "q_score": "qscore.score",
    "DiscriminativeFeatures": "qscore.score",
    "QScore": "qscore.score",
    "QScorePenalty": "qscore.regularizer",
    "QScoreRegularizer": "qscore.regularizer",
    "Encoder": "qscore.encoders",
    "load_encoder": "qscore.encoders",
    "Representations": "qscore.records",
    "extract": "qscore.score",
    "CollapseWatch": "qscore.watch",
}

__all__ = [
    "CollapseWatch",
    "DiscriminativeFeatures",
    "Encoder",
    "QScore",
    "QScorePenalty",
    "QScoreRegularizer",
    "Representations",
    "dominant_features",
    "extract",
    "load_encoder",
    "q_score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'qscore' has no attribute '{name}'; it offers {', '.join(sorted(_HOME))}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*_HOME, "__version__"])
