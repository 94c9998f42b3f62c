"""Which groups of concepts say something: one after the other, one on top of labels, and at several K."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from qscore.interpretability.reverse_probing.concepts import group_names, of_groups, shuffled, side_by_side
from qscore.interpretability.reverse_probing.prober import Prober
from qscore.records import Concepts, Grouping


@dataclass(frozen=True)
class Cumulative:
    """What is reached when groups are added one after the other (fig. 4).

    Attributes:
        steps: "labels", "+ colour", "+ texture", ...
        values: In the order of `MEASURES`.
    """

    steps: tuple[str, ...]
    values: Float[np.ndarray, "step clustering measure"]


def cumulative(concepts: Concepts, groupings: Sequence[Grouping], groups: Sequence[str], prober: Prober) -> Cumulative:
    """Returns the measures of the first group, of the first two, and so on.

    What a group adds depends on what came before it: give the groups from the most to the least semantic one, as the
    paper does, once with the labels in front and once without them.

    Raises:
        UserError: If there is no such group.
    """
    variants = [of_groups(concepts, groups[: last + 1]) for last in range(len(groups))]
    values = prober.settled(concepts, groupings).grid(variants, groupings, "Cumulative groups")
    return Cumulative((groups[0], *(f"+ {group}" for group in groups[1:])), values)


@dataclass(frozen=True)
class Added:
    """What one group says on top of others (table 3), measures in the order of `MEASURES`.

    Attributes:
        groups: Those added, one at a time.
        alone: Without them.
        differences: With each group, minus `alone` of the same clustering, on the same test samples.
        shuffled: The same with the rows of the group dealt to other samples: what a group as large adds by chance,
            which for NMI is often less than nothing.
    """

    groups: tuple[str, ...]
    alone: Float[np.ndarray, "clustering measure"]
    differences: Float[np.ndarray, "group clustering measure"]
    shuffled: Float[np.ndarray, "group clustering measure"]


def added(
    concepts: Concepts,
    groupings: Sequence[Grouping],
    base: Sequence[str],
    prober: Prober,
    groups: Sequence[str] | None = None,
) -> Added:
    """Returns what each group adds to the concepts of the groups `base`.

    Args:
        concepts: Of all groups.
        groupings: Clusterings of the same samples.
        base: Groups that are always there, such as ("labels",); may be empty.
        prober: How to fit.
        groups: Those to add, one at a time; every other one by default.

    Raises:
        UserError: If there is no such group.
    """
    groups = others(concepts, base) if groups is None else tuple(groups)
    below, parts = of_groups(concepts, base), [of_groups(concepts, [group]) for group in groups]
    dealt = [shuffled(part, prober.seed) for part in parts]
    variants = [below, *(side_by_side([below, part]) for part in (*parts, *dealt))]
    values = prober.settled(concepts, groupings).grid(variants, groupings, "Groups on top")
    differences = values[1:] - values[0]
    return Added(tuple(groups), values[0], differences[: len(groups)], differences[len(groups) :])


def others(concepts: Concepts, base: Iterable[str]) -> tuple[str, ...]:
    """Returns the groups that are not in `base`."""
    return tuple(group for group in group_names(concepts) if group not in set(base))


@dataclass(frozen=True)
class ByK:
    """The measures at several numbers of clusters (figs. 6 and 7), in the order of `MEASURES`.

    Attributes:
        ks: Numbers of clusters.
        values: Of the concepts.
        shuffled: Of the same concepts dealt to other samples.
    """

    ks: Int[np.ndarray, " k"]
    values: Float[np.ndarray, "k clustering measure"]
    shuffled: Float[np.ndarray, "k clustering measure"]


def by_k(concepts: Concepts, groupings: Mapping[int, Sequence[Grouping]], prober: Prober) -> ByK:
    """Returns the measures of the clusterings at each K, all by the solver that suits the largest.

    Args:
        concepts: Of the clustered samples.
        groupings: As many clusterings for each K.
        prober: How to fit.
    """
    settled = prober.settled(concepts, [grouping for some in groupings.values() for grouping in some])
    variants = [concepts, shuffled(concepts, prober.seed)]
    values = np.stack([settled.grid(variants, some, f"K = {k}") for k, some in groupings.items()])
    return ByK(np.array(list(groupings)), values[:, 0], values[:, 1])
