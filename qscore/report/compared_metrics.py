"""The numbers that runs are compared by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from qscore.report.statistics import Statistic


@dataclass(frozen=True)
class Metric:
    """A number that is compared.

    Attributes:
        title: As printed.
        evaluation: Result that holds it.
        name: Its name there.
        arrays: Per-sample arrays, `evaluation/array`, that it is computed from; none where there is no interval over
            images.
        statistic: These arrays to the number.
        alike: Settings or counts of its evaluation that both encoders must share: how Q is computed, what was probed.
    """

    title: str
    evaluation: str
    name: str
    arrays: tuple[str, ...] = ()
    statistic: Statistic = lambda arrays: float(np.mean(arrays[0]))
    alike: tuple[str, ...] = ()


def _accuracy(arrays: Sequence[np.ndarray]) -> float:
    return float(np.mean(arrays[0] == arrays[1]))


def _auroc(arrays: Sequence[np.ndarray]) -> float:
    """By ranks (Mann and Whitney): it is computed thousands of times."""
    scores, correct = arrays
    num_right, num_wrong = int(correct.sum()), int((~correct).sum())
    if not num_right or not num_wrong:
        return float("nan")
    above = rankdata(scores)[correct].sum() - num_right * (num_right + 1) / 2
    return float(above / (num_right * num_wrong))


SCORING = ("epsilon", "formula", "lower", "upper")
PROBING = ("num_clusters", "num_concepts", "grouping", "groups", "solver")
CAPTIONED = ("captions", "sentence_encoder")
GROUPED = ("grouping", "num_groups", *CAPTIONED)
PREDICTIONS = ("linear_probe/predictions", "linear_probe/labels")
NEIGHBOURS = ("knn/predictions_k20", "linear_probe/labels")
METRICS = (
    Metric("Linear probe top-1", "linear_probe", "top1", PREDICTIONS, _accuracy),
    Metric("kNN k=20", "knn", "k20", NEIGHBOURS, _accuracy),
    Metric(
        "AUROC of Q",
        "misclassification",
        "auroc",
        ("misclassification/q", "misclassification/correct"),
        _auroc,
        SCORING,
    ),
    Metric("AURC of Q", "misclassification", "aurc", alike=SCORING),
    Metric("Hoyer sparsity", "sparsity", "hoyer", ("sparsity/hoyer",)),
    Metric("Features near zero", "sparsity", "share_near_zero", ("sparsity/near_zero",)),
    Metric("RankMe", "quality", "rank_me"),
    Metric("Mean Q", "quality", "mean_q", alike=SCORING),
    Metric("Reverse probe, information (nats)", "reverse_probing", "information_nats", alike=PROBING),
    Metric("Reverse probe, AMI", "reverse_probing", "ami", alike=PROBING),
    Metric("Reverse probe, NMI", "reverse_probing", "nmi", alike=PROBING),
    Metric("Reverse probe top-1", "reverse_probing", "top1", alike=PROBING),
    Metric("Captions of groups, binary", "forced_choice", "captions/binary", alike=GROUPED),
    Metric("Captions of features in D, binary", "forced_choice", "features/discriminative", alike=CAPTIONED),
    Metric("Features in D minus outside, binary", "forced_choice", "features/difference", alike=CAPTIONED),
)
