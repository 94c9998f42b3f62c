"""Trials: some images of a class, or its description, and two others, of which one belongs to it as well."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from qscore.errors import UserError
from qscore.files import fingerprint
from qscore.interpretability.reverse_probing.concepts import listed

IMAGES, DESCRIPTION = "images", "description"
CONDITIONS = (IMAGES, DESCRIPTION)
RANDOM, HARD = "random", "hard"
NEGATIVES = (RANDOM, HARD)


@dataclass(frozen=True)
class TrialDesign:
    """How a study asks; the defaults are those of the paper, section 5.1.

    Attributes:
        num_references: M, images of the class that are shown beside the two queries.
        num_trials: Of each class and each kind of negative.
        num_answers: By different annotators, of each trial.
        negatives: "random", "hard" or both.
    """

    num_references: int = 10
    num_trials: int = 20
    num_answers: int = 3
    negatives: tuple[str, ...] = (RANDOM,)


@dataclass(frozen=True)
class Trial:
    """One forced choice T = (R_c, x0, x1, z).

    Attributes:
        trial_id: Says nothing about the rest.
        query_id: The same for trials of the same two queries under different conditions, so that answers can be paired.
        group: c, the class.
        condition: What is shown of it: "images" or "description".
        negatives: What the negative was drawn from: "random" or "hard".
        references: R_c, ids of samples; empty where a description is shown.
        description: Empty where images are shown.
        described_by: Whose description it is, such as "human" or "automatic".
        positive: x0, id of a sample of the class that is no reference.
        negative: x1, id of a sample outside the class.
        positive_side: z, 0 where the positive is the first or left query, 1 where it is the second.
        is_catch: Whether it only tells if somebody looks: the positive is one of the references, and it counts nowhere.
    """

    trial_id: str
    query_id: str
    group: int
    condition: str
    negatives: str
    references: tuple[str, ...]
    description: str
    described_by: str
    positive: str
    negative: str
    positive_side: int
    is_catch: bool = False


@dataclass(frozen=True)
class Trials:
    """All trials of a study.

    Attributes:
        trials: In the order of classes; to be shuffled for each annotator.
        design: How they were drawn.
        seed: Of the draws.
        nearest: The class that hard negatives of each class come from.
        left_out: Classes that could not be asked about, and why.
    """

    trials: tuple[Trial, ...]
    design: TrialDesign
    seed: int
    nearest: Mapping[int, int] = field(default_factory=dict)
    left_out: Mapping[int, str] = field(default_factory=dict)


def with_descriptions(trials: Trials, descriptions: Mapping[int, str], described_by: str) -> Trials:
    """Returns the same queries on the same sides with a description in place of the references (eq. 3).

    Args:
        trials: About images.
        descriptions: D_c of each class that is asked about.
        described_by: Who wrote them, such as "human" or "automatic".

    Raises:
        UserError: If a class has none, or nobody is named.
    """
    asked = dict.fromkeys(trial.group for trial in trials.trials)
    if missing := [str(group) for group in asked if not descriptions.get(group, "").strip()]:
        raise UserError(
            f"Expected a description of every class, got none of {len(missing)} of {len(asked)}: {listed(missing)}; "
            "write one for each."
        )
    if not described_by.strip():
        raise UserError("Expected a word for whose descriptions these are, got nothing; write human or automatic.")
    described = tuple(
        replace(
            trial,
            trial_id=fingerprint(trial.query_id, DESCRIPTION, described_by),
            condition=DESCRIPTION,
            references=(),
            description=descriptions[trial.group].strip(),
            described_by=described_by,
        )
        for trial in trials.trials
        if trial.condition == IMAGES and not trial.is_catch
    )
    return replace(trials, trials=described)
