"""Annotators who name like another but for one habit: what comes out of a study of theirs is known beforehand."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from qscore.study.naming.folder import NamingStudy

if TYPE_CHECKING:
    from qscore.interpretability.naming.activations import Activations

MIN_IMAGES = 3  # under which no concept is made
Record = dict[str, Any]


def by_feature(study: NamingStudy) -> list[Record]:
    """Returns the namings of someone who sees the features themselves: a concept for each that has 3 images."""
    records = []
    for group in study.groups.values():
        features = sorted({one.feature for one in group.activations}, key=lambda feature: (len(feature), feature))
        own = {feature: [one for one in group.activations if one.feature == feature] for feature in features}
        large = {feature: ones for feature, ones in own.items() if len({one.sample for one in ones}) >= MIN_IMAGES}
        concepts = [
            {"name": f"feature {feature}", "members": sorted(one.activation_id for one in ones)}
            for feature, ones in large.items()
        ]
        records.append({"annotator": "features", "group": group.name, "concepts": concepts})
    return records


def with_habits(
    study: NamingStudy, records: Iterable[Record], habits: Sequence[str], *, noise: float, seed: int
) -> list[Record]:
    """Returns the namings of one annotator for each habit, all like the first annotator of some records.

    Args:
        study: What they name.
        records: Namings as `export` writes them.
        habits: "same", "split", "merge", "noise" or "random"; see `qscore.interpretability.naming.simulate`.
        noise: Share of the named activations that "noise" moves.
        seed: Of the draws; each annotator has one of their own.

    Raises:
        UserError: A habit is unknown, or the share is none.
    """
    from qscore.interpretability.naming.namings import Concept, Naming
    from qscore.interpretability.naming.simulate import simulated

    rows = list(records)
    first = [row for row in rows if row.get("annotator", 1) == rows[0].get("annotator", 1)]
    concepts = tuple(
        Concept(f"{row['group']}/{number}", row["group"], concept["name"], tuple(concept["members"]))
        for row in first
        for number, concept in enumerate(row["concepts"])
    )
    naming, activations = Naming("", "", concepts), _activations(study)
    made: list[Record] = []
    for number, habit in enumerate(habits):
        own = simulated(naming, activations, habit, f"{habit} {number + 1}", noise=noise, seed=seed + number)
        for row in first:
            shown = [{"name": c.name, "members": list(c.activations)} for c in own.concepts if c.group == row["group"]]
            kept = {"discarded": row.get("discarded", []), "done": row.get("done", True)}
            made.append({"annotator": own.annotator, "group": row["group"], "concepts": shown, **kept})
    return made


def _activations(study: NamingStudy) -> "Activations":
    from qscore.interpretability.naming.activations import Activation, Activations

    rows = [
        Activation(one.activation_id, one.sample, group.name, 0, one.score, 0.0)
        for group in study.groups.values()
        for one in group.activations
    ]
    return Activations(tuple(rows), "discriminative", "")
