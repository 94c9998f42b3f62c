"""What a study's `groups.json` says of a group: read by its report, never by an annotator."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from qscore.interpretability.forced_choice.group_files import FiledGroups
from qscore.interpretability.membership import members_by_group
from qscore.interpretability.purity import purity


@dataclass(frozen=True)
class GroupFacts:
    """None, or nothing, where a thing is not known.

    Attributes:
        kind: What made it, such as "k-means" or "labels".
        size: Number of samples.
        band: "discriminative" or "outside", of a feature's dominant samples.
        purity_range: (low, high] that it was drawn from.
        purity: Of its labels.
        mean_q: Mean Q-Score of its samples.
        information: Its part of reverse probing, in nats.
        caption: Automatic description.
        description: By people.
        hard_negative: The group that hard negatives come from.
        common_label: The most frequent label.
        proxy: Accuracy of its caption by the automatic proxy.
    """

    kind: str
    size: int
    band: str = ""
    purity_range: tuple[float, float] | None = None
    purity: float | None = None
    mean_q: float | None = None
    information: float | None = None
    caption: str = ""
    description: str = ""
    hard_negative: int | None = None
    common_label: str = ""
    proxy: float | None = None


def facts_of_files(filed: FiledGroups) -> dict[int, GroupFacts]:
    """Returns what files say of each group by itself: kind, size, description, and, with labels, purity.

    Raises:
        UserError: If there are labels, all of one class.
    """
    members = members_by_group(filed.grouping, len(filed.ids))
    labels = None if filed.labels is None else np.array(filed.labels)
    purities: Iterable[float | None] = [None] * len(members)
    if labels is not None:
        names, numbers = np.unique(labels, return_inverse=True)
        purities = purity(numbers, filed.grouping, num_classes=len(names)).tolist()
    return {
        group: GroupFacts(
            filed.grouping.source,
            len(positions),
            purity=pure,
            description=filed.descriptions.get(group, ""),
            common_label="" if labels is None else _most_common(labels[positions].tolist()),
        )
        for (group, positions), pure in zip(members.items(), purities, strict=True)
    }


def _most_common(names: Iterable[str]) -> str:
    return min(Counter(names).items(), key=lambda item: (-item[1], item[0]))[0]
