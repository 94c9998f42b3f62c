"""What a reverse probe is worth, on samples that it was not fitted on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.metrics import adjusted_mutual_info_score, average_precision_score, normalized_mutual_info_score

MEASURES = (
    *("information_nats", "information_bits", "information_fraction", "entropy_nats", "entropy_all_nats"),
    *("nmi", "nmi_by_chance", "ami", "top1", "top5", "mean_average_precision"),
)

CERTAIN = 1e-9  # from 1: no chance can be read off an AMI so near to it


@dataclass(frozen=True)
class Measures:
    """Of one probe; natural logarithms, fractions rather than percent.

    NMI, AMI and mAP are NaN where all test samples lie in one cluster: there is nothing to tell apart.

    Attributes:
        entropy_nats: H of the clusters of the test samples.
        entropy_all_nats: H of the clusters of all samples.
        cross_entropy_nats: Mean of -ln q(cluster | concepts): in expectation no less than the conditional entropy.
        nmi: Normalized mutual information of clusters and predicted clusters, as the paper's tables have it. Chance
            alone raises it: read `ami` beside it.
        ami: The same adjusted for chance: 0 in expectation for predictions that have nothing to do with the clusters.
        top1: Share of the test samples whose cluster is the most probable one.
        top5: Share whose cluster is among the five most probable.
        mean_average_precision: Over the clusters that have a test sample.
        num_clusters: How many there are.
        num_absent: How many of them have no test sample.
        num_test: Number of test samples.
    """

    entropy_nats: float
    entropy_all_nats: float
    cross_entropy_nats: float
    nmi: float
    ami: float
    top1: float
    top5: float
    mean_average_precision: float
    num_clusters: int
    num_absent: int
    num_test: int

    @property
    def information_nats(self) -> float:
        """I = H - cross-entropy (eq. 1 with its bound): at most the mutual information, but for sampling error.

        Negative where the probe knows less than the frequencies of the clusters do; it is never clipped.
        """
        return self.entropy_nats - self.cross_entropy_nats

    @property
    def information_bits(self) -> float:
        """The same in bits."""
        return self.information_nats / float(np.log(2))

    @property
    def information_fraction(self) -> float | None:
        """I / H: 1 if the concepts say all; None for a single cluster."""
        return self.information_nats / self.entropy_nats if self.entropy_nats > 0 else None

    @property
    def nmi_by_chance(self) -> float | None:
        """NMI that the same predictions would have in expectation if they were dealt to other samples.

        The adjustment of the AMI read backwards: AMI = (NMI - c) / (1 - c). None where both are 1.
        """
        return (self.nmi - self.ami) / (1 - self.ami) if 1 - self.ami > CERTAIN else None

    def as_metrics(self) -> dict[str, float | None]:
        """Returns what a table shows, under the names of result files."""
        return {
            name: None if np.isnan(value) else float(value) for name, value in zip(MEASURES, self.as_row(), strict=True)
        }

    def as_row(self) -> Float[np.ndarray, " measure"]:
        """Returns the same in the order of `MEASURES`, NaN for what is not defined."""
        return np.array([getattr(self, name) for name in MEASURES], dtype=float)


def measure(
    log_posterior: Float[np.ndarray, "sample cluster"],
    clusters: Int[np.ndarray, " sample"],
    all_clusters: Int[np.ndarray, " _"],
) -> Measures:
    """Returns the measures of a posterior on test samples.

    Args:
        log_posterior: ln q(cluster | concepts).
        clusters: True cluster of each, from 0.
        all_clusters: Clusters of the samples of all parts.

    >>> m = measure(np.log([[0.8, 0.2], [0.4, 0.6]]), np.array([0, 1]), np.array([0, 0, 1, 1]))
    >>> round(m.information_nats, 4), m.nmi, m.top1   # ln 2 + (ln 0.8 + ln 0.6) / 2
    (0.3262, 1.0, 1.0)
    """
    num_clusters = log_posterior.shape[1]
    predicted = log_posterior.argmax(1)
    own = log_posterior[np.arange(len(clusters)), clusters]
    is_before = np.arange(num_clusters) < clusters[:, None]  # of equal ones the first is taken, as by argmax
    rank = ((log_posterior > own[:, None]) | ((log_posterior == own[:, None]) & is_before)).sum(1)
    seen = np.unique(clusters)
    is_told_apart = len(seen) > 1  # else scikit-learn calls every prediction of one cluster perfect
    precision = [average_precision_score(clusters == k, log_posterior[:, k]) for k in seen]
    return Measures(
        entropy_nats=entropy(clusters),
        entropy_all_nats=entropy(all_clusters),
        cross_entropy_nats=-float(own.mean(dtype=np.float64)),
        nmi=float(normalized_mutual_info_score(clusters, predicted)) if is_told_apart else np.nan,
        ami=float(adjusted_mutual_info_score(clusters, predicted)) if is_told_apart else np.nan,
        top1=float((predicted == clusters).mean()),
        top5=float((rank < 5).mean()),
        mean_average_precision=float(np.mean(precision)) if is_told_apart else np.nan,
        num_clusters=num_clusters,
        num_absent=num_clusters - len(seen),
        num_test=len(clusters),
    )


def entropy(clusters: Int[np.ndarray, " sample"]) -> float:
    """Returns the entropy of the frequencies, in nats.

    >>> round(entropy(np.array([0, 0, 1, 1])), 4)
    0.6931
    """
    shares = np.unique(clusters, return_counts=True)[1] / len(clusters)
    return -float((shares * np.log(shares)).sum())
