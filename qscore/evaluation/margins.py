"""How far an encoder may fall below the state it started from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qscore.errors import UserError
from qscore.evaluation.warm_start import FEATURE_STD, KNN, RANK_ME, Measurement

AUTO = "auto"
CHANGED_SHARE, SMALLEST_AUTO_MARGIN = 0.1, 0.02


@dataclass(frozen=True)
class Margins:
    """Allowed falls.

    Attributes:
        knn: Of the kNN accuracy, absolute; "auto" for `auto_knn_margin`.
        rank: Of RankMe, as a share of its first value.
        std: Of the standard deviation of the features, likewise.

    Raises:
        UserError: If one is not between 0 and 1.
    """

    knn: float | str = AUTO
    rank: float = 0.5
    std: float = 0.5

    def __post_init__(self) -> None:
        shares = (self.rank, self.std) if self.knn == AUTO else (self.knn, self.rank, self.std)
        for margin in shares:
            if isinstance(margin, str) or not 0 <= margin <= 1:
                raise UserError(
                    f"Expected margins of the guard from 0 to 1, or knn_margin=auto; got {margin}. 1 allows any fall."
                )

    def floors(self, start: Measurement, num_queries: int) -> dict[str, float]:
        """Returns the lowest value that each metric may have.

        >>> Margins().floors(Measurement(0, 0, 0.9, 10.0, 0.2), num_queries=1000)
        {'knn_top1': 0.87, 'rank_me': 5.0, 'feature_std': 0.1}
        """
        knn = auto_knn_margin(num_queries) if isinstance(self.knn, str) else self.knn
        floors = {RANK_ME: start.rank_me * (1 - self.rank), FEATURE_STD: start.feature_std * (1 - self.std)}
        return floors if start.knn_top1 is None else {KNN: start.knn_top1 - knn, **floors}


def auto_knn_margin(num_queries: int) -> float:
    """Returns three standard errors of the difference of two accuracies on the same queries, but at least 0.02.

    Where a share s of n queries is right in one state and wrong in the other, the difference has a standard error of
    at most sqrt(s / n) (the denominator of McNemar's test, Psychometrika 1947); s = 0.1 is assumed.

    >>> auto_knn_margin(1000), auto_knn_margin(100_000)
    (0.03, 0.02)
    """
    return max(SMALLEST_AUTO_MARGIN, round(3 * math.sqrt(CHANGED_SHARE / num_queries), 6))


def broken_margins(curve: Sequence[Measurement], floors: dict[str, float]) -> dict[str, int]:
    """Returns the metrics that fell below their floors, each with the first epoch after which it had.

    >>> curve = [Measurement(epoch, 0, None, rank, 0.1) for epoch, rank in enumerate([9.0, 7.0, 4.0, 3.0])]
    >>> broken_margins(curve, {"rank_me": 5.0, "feature_std": 0.05})
    {'rank_me': 2}
    """
    below = {name: [m.epoch for m in curve if m.metrics[name] < floor] for name, floor in floors.items()}
    return {name: epochs[0] for name, epochs in below.items() if epochs}


def best_measurement(curve: Sequence[Measurement]) -> Measurement:
    """Returns the one of highest kNN accuracy, or without labels of highest RankMe; of equals the earliest.

    >>> best_measurement([Measurement(0, 0, 0.9, 5.0, 0.1), Measurement(1, 9, 0.9, 6.0, 0.1)]).epoch
    0
    """
    return max(curve, key=lambda m: m.metrics[m.ranked_by])


def falls(curve: Sequence[Measurement], floors: dict[str, float], names: Sequence[str]) -> str:
    """Returns how far some metrics fell, in words.

    >>> falls([Measurement(0, 0, None, 9.0, 0.1), Measurement(1, 9, None, 4.0, 0.1)], {"rank_me": 4.5}, ["rank_me"])
    'after epoch 1, rank_me is 4 instead of 9 (at least 4.5 is allowed)'
    """
    start, now = curve[0].metrics, curve[-1]
    phrases = [f"{name} is {now.metrics[name]:.4g} instead of {start[name]:.4g}" for name in names]
    said = [f"{phrase} (at least {floors[name]:.4g} is allowed)" for phrase, name in zip(phrases, names, strict=True)]
    return f"after epoch {now.epoch}, {', '.join(said)}"
