"""How far each annotator's names go in each group, and whether they follow the features (figs. 3 to 6, tables 2, 3)."""

import numpy as np

from qscore.interpretability.naming.coverage import coverage, cx_purity, named_by_exactly, xc_purity
from qscore.interpretability.naming.named import Named

Arrays = dict[str, np.ndarray]
COVERAGES = ("activations", "partial", "complete")


def share_arrays(named: Named) -> Arrays:
    """Returns shares by group and annotator; NaN where an annotator did nothing in a group, or named nothing.

    `coverage` (coverage, group, annotator + 1): the last is any annotator. `exactly` (group, annotator + 1): share of
    activations with so many names, NaN beyond the annotators of the group. `cx_purity`, `xc_purity` (group, annotator).
    """
    num_groups, num_annotators = len(named.groups), len(named.annotators)
    covered = np.full((len(COVERAGES), num_groups, num_annotators + 1), np.nan)
    exactly = np.full((num_groups, num_annotators + 1), np.nan)
    cx, xc = np.full((2, num_groups, num_annotators), np.nan)
    for group in range(num_groups):
        inside, there = named.inside(group), np.flatnonzero(named.has_named[:, group])
        namings, images, features = (each[..., inside] for each in (named.concept_of, named.image_of, named.feature_of))
        if len(there):
            exactly[group, : len(there) + 1] = named_by_exactly(namings[there] >= 0)
            covered[:, group, -1] = _coverages(np.asarray((namings[there] >= 0).any(0)), images)
        for who in there:
            covered[:, group, who] = _coverages(namings[who] >= 0, images)
            cx[group, who], xc[group, who] = cx_purity(namings[who], features), xc_purity(namings[who], features)
    return {"coverage": covered, "exactly": exactly, "cx_purity": cx, "xc_purity": xc}


def _coverages(named: np.ndarray, images: np.ndarray) -> list[float]:
    found = coverage(named, images)
    return [getattr(found, name) for name in COVERAGES]
