"""A stored clustering and its stored probe, applied to other samples (table 7)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from qscore.errors import UserError
from qscore.interpretability.clusters import Quantizer
from qscore.interpretability.reverse_probing.measures import Measures, measure
from qscore.interpretability.reverse_probing.stored import StoredProbe
from qscore.records import Concepts, Grouping


@dataclass(frozen=True)
class Transferred:
    """What a stored probe is worth elsewhere.

    Attributes:
        measures: On the samples whose cluster the probe knows; `num_absent` are its clusters with no sample there.
        grouping: Cluster of each sample, by the stored mean, deviation and centroids.
        surprise: -ln q(cluster | concepts) of each; NaN where the probe does not know the cluster.
        num_unknown: Samples nearest to a centroid that had no sample when the probe was fitted: it has no
            probability for them, and they are left out.
    """

    measures: Measures
    grouping: Grouping
    surprise: Float[np.ndarray, " sample"]
    num_unknown: int


def transfer(
    quantizer: Quantizer, probe: StoredProbe, h: Float[Tensor, "sample feature"], concepts: Concepts
) -> Transferred:
    """Returns how well a stored probe predicts the stored clusters of other samples, all of which are tested on.

    Nothing is fitted. The standardisation is the stored one, on which the paper is silent: that of the new samples
    would take away the shift that is asked about. The concepts should not hold a data set's own labels.

    Args:
        quantizer: Of the clustering that the probe was fitted on.
        probe: That probe.
        h: Representations of the other samples, by the same encoder.
        concepts: Of the same samples in the same order.

    Raises:
        UserError: If numbers of samples or of features differ, a concept is missing, or all clusters are unknown.
    """
    if len(h) != len(concepts.ids):
        raise UserError(
            f"Expected concepts of the {len(h)} samples, got those of {len(concepts.ids)}; align the table."
        )
    grouping = quantizer.assign(h)
    codes = np.searchsorted(probe.cluster_ids, grouping.clusters).clip(max=len(probe.cluster_ids) - 1)
    rows = np.flatnonzero(probe.cluster_ids[codes] == grouping.clusters)
    if not len(rows):
        raise UserError("Expected clusters that the probe knows, got none; give it the quantizer it was fitted with.")
    log_posterior, codes = probe.log_posterior(concepts)[rows], codes[rows]
    surprise = np.full(len(h), np.nan)
    surprise[rows] = -log_posterior[np.arange(len(rows)), codes]
    return Transferred(measure(log_posterior, codes, codes), grouping, surprise, len(h) - len(rows))
