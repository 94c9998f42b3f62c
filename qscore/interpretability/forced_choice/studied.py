"""The groups that are described, and those of them that people are asked about."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.automatic.belonging import belonging
from qscore.interpretability.likeness import likeness
from qscore.interpretability.membership import Members, members_by_group
from qscore.interpretability.purity import choose_by_purity, purity
from qscore.interpretability.reverse_probing.clustered import Clustered
from qscore.records import Grouping

log = logging.getLogger(__name__)

Range = tuple[float, float]


@dataclass(frozen=True)
class Studied:
    """Groups of the training images.

    Attributes:
        grouping: Group of each image.
        members: Positions of the images of each group, ascending.
        scores: p_c of the held-out images, (sample, group).
        purity: Of each group; NaN without labels.
        chosen: The groups to ask about, and the range of purity that each was drawn from; None where from none.
        notes: What a reader must know.
    """

    grouping: Grouping
    members: Members
    scores: Float[np.ndarray, "sample group"]
    purity: Float[np.ndarray, " group"]
    chosen: Mapping[int, Range | None]
    notes: tuple[str, ...]

    @property
    def numbers(self) -> list[int]:
        """Of the groups, ascending."""
        return list(self.members)

    @property
    def selected(self) -> list[int]:
        """Places of the chosen groups among all."""
        return [place for place, group in enumerate(self.members) if group in self.chosen]

    def as_metrics(self, inputs: EvaluationInputs) -> dict[str, float | None]:
        """Returns mean purity, and how alike groups and labels are (table 4)."""
        found: dict[str, float | None] = {"num_groups": float(len(self.members)), "purity": None}
        if inputs.train.labels is None:
            return found | {"nmi": None, "ami": None, "ari": None}
        alike = likeness(self.grouping.clusters, inputs.train.labels.numpy())
        measures = {name: getattr(alike, name) for name in ("nmi", "ami", "ari")}
        known = {name: None if np.isnan(value) else value for name, value in measures.items()}
        return found | {"purity": _mean(self.purity)} | known


def studied(inputs: EvaluationInputs, found: Clustered, grouping: str, *, least: int, per_range: int) -> Studied:
    """Returns the groups, and a choice of them: some of each range of purity (section 5.1).

    Where there are no labels, or no group lies in a range, some are drawn at random; where all are too small, none are.

    Args:
        inputs: Representations.
        found: The groups, as by `clustered`.
        grouping: What they were asked for as.
        least: Images that a group needs to be asked about.
        per_range: How many groups of each range.
    """
    members = members_by_group(found.groupings[0], len(inputs.train.h))
    pure = purities(inputs, found.groupings[0])
    large = np.array([len(own) >= least for own in members.values()])
    chosen, notes = _choice(np.array(list(members)), pure, large, per_range, inputs.seed)
    if small := int((~large).sum()):
        notes.append(f"{small} of {len(members)} groups have fewer than {least} images and are not asked about.")
    return Studied(found.groupings[0], members, belonging(inputs, found, grouping), pure, chosen, tuple(notes))


def purities(inputs: EvaluationInputs, groups: Grouping | np.ndarray) -> Float[np.ndarray, " group"]:
    """Returns the purity of each group; NaN where the images have no labels, or one."""
    num_classes = len(inputs.train.class_names)
    if inputs.train.labels is None or num_classes < 2:
        return np.full(len(members_by_group(groups)), np.nan)
    return purity(inputs.train.labels.numpy(), groups, num_classes=num_classes)


def _choice(
    numbers: np.ndarray, pure: np.ndarray, large: np.ndarray, per_range: int, seed: int
) -> tuple[dict[int, Range | None], list[str]]:
    if not large.any():
        return {}, []
    ranges = (
        [] if np.isnan(pure).all() else choose_by_purity(pure[large], numbers[large], per_range=per_range, seed=seed)
    )
    chosen: dict[int, Range | None] = {group: (each.low, each.high) for each in ranges for group in each.clusters}
    if chosen:
        return chosen, []
    why = "No group of enough images has a purity above 0.3" if ranges else "The images have no labels to be pure of"
    drawn = np.random.default_rng(seed).permutation(numbers[large])[:per_range]
    return dict.fromkeys(np.sort(drawn).tolist()), [f"{why}: the groups to ask about are drawn at random."]


def _mean(values: np.ndarray) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))
