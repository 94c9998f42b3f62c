"""What a card says of a group without people: purity, Q, information, its hard negative, and some of its images."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch.nn import functional as F  # noqa: N812

from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.forced_choice.questions.drawing import nearest_groups
from qscore.interpretability.forced_choice.studied import Studied
from qscore.interpretability.forced_choice.words.described import Described
from qscore.interpretability.groupings import common_label
from qscore.interpretability.membership import Members
from qscore.interpretability.reverse_probing.clustered import LABELS
from qscore.interpretability.reverse_probing.concepts import side_by_side
from qscore.interpretability.reverse_probing.experts.captions import concepts_of_captions
from qscore.interpretability.reverse_probing.parts import Part
from qscore.interpretability.reverse_probing.probe import reverse_probe
from qscore.interpretability.reverse_probing.sources import labels_as_concepts
from qscore.records import Concepts
from qscore.score import q_score

NUM_EXAMPLES, SIZES_PX = 10, (32, 64)


def of_cards(
    inputs: EvaluationInputs, studied: Studied, described: Described, grouping: str, *, information: bool
) -> Part:
    """Returns what is known of each group, with images of those to ask about and of their hard negatives.

    Args:
        inputs: Representations, with pictures for images.
        studied: The groups.
        described: Captions of the images.
        grouping: What the groups were asked for as.
        information: Whether to fit a reverse probe.
    """
    facts, unknown = facts_of_groups(inputs, studied), np.full(len(studied.members), np.nan)
    nats, why = information_by_group(inputs, studied, described, grouping) if information else (unknown, "")
    nearest = dict(zip(studied.numbers, facts["hard_negative"].tolist(), strict=True))
    shown = {*studied.chosen, *(nearest[group] for group in studied.chosen)} - {-1}
    arrays = {**facts, "information": nats, **examples(inputs, studied.members, sorted(shown))}
    return Part(arrays=arrays, notes=(f"Information is not measured: {why}.",) if why else ())


def facts_of_groups(inputs: EvaluationInputs, studied: Studied) -> dict[str, np.ndarray]:
    """Returns what is known of each group, in ascending order of its number."""
    nearest = nearest_groups(inputs.train.h.numpy(), studied.members, studied.numbers)
    ranges = [studied.chosen.get(group) for group in studied.members]
    return {
        "group": np.array(studied.numbers, dtype=np.int64),
        "size": np.array([len(own) for own in studied.members.values()], dtype=np.int64),
        "purity": studied.purity,
        "mean_q": mean_q(inputs, studied.members),
        "hard_negative": np.array([nearest.get(group, -1) for group in studied.members], dtype=np.int64),
        "chosen": np.isin(studied.numbers, list(studied.chosen)),
        "chosen_low": np.array([np.nan if drawn is None else drawn[0] for drawn in ranges]),
        "common_label": np.array(_common_labels(inputs, studied), dtype=str),
    }


def mean_q(inputs: EvaluationInputs, members: Members) -> Float[np.ndarray, " group"]:
    """Returns the mean Q-Score of the training images of each group."""
    q = q_score(inputs.train.h, inputs.discriminative, inputs.epsilon, formula=inputs.formula).numpy()
    return np.array([q[own].mean(dtype=np.float64) for own in members.values()])


def information_by_group(
    inputs: EvaluationInputs, studied: Studied, described: Described, grouping: str
) -> tuple[Float[np.ndarray, " group"], str]:
    """Returns what labels and words of captions say about each group, in nats, and why it is not known where it is not.

    The mean over its images of -ln p(group) + ln q(group | concepts), on the fifth of the images that a reverse probe
    is measured on: weighed by how many these are, it sums to the information of reverse probing. NaN for a group that
    has none there. Groups that are the labels are not explained by labels.

    Args:
        inputs: Representations.
        studied: The groups.
        described: Whose words are concepts where at least 5 images have them.
        grouping: What the groups were asked for as.
    """
    unknown = np.full(len(studied.members), np.nan)
    concepts = _concepts(inputs, described, grouping)
    if concepts is None:
        return unknown, "no words but those that made the groups"
    try:
        probe = reverse_probe(concepts, studied.grouping, seed=inputs.seed, device=inputs.device or "cpu")
    except UserError as error:
        return unknown, str(error)
    groups = studied.grouping.clusters[probe.split.test]
    found = unknown.copy()
    for place, group in enumerate(studied.members):
        inside = groups == group
        if inside.any():
            found[place] = -np.log(inside.mean()) - probe.surprise[inside].mean(dtype=np.float64)
    return found, ""


def examples(inputs: EvaluationInputs, members: Members, groups: Sequence[int]) -> Mapping[str, np.ndarray]:
    """Returns small images of some members of groups, (group, image, height, width, 3), and which groups these are.

    Args:
        inputs: With pictures; without there are none.
        members: Of each group.
        groups: Of at least one member; white fills up where there are fewer than 10.
    """
    if inputs.pictures is None or not groups:
        return {}
    drawn = [np.random.default_rng((inputs.seed, group)).permutation(members[group])[:NUM_EXAMPLES] for group in groups]
    positions = inputs.pictures.positions((inputs.train.ids[row] for rows in drawn for row in rows), split="train")
    found: list[np.ndarray] = []
    for rows in drawn:
        own, positions = positions[: len(rows)], positions[len(rows) :]
        found.append(_grid(inputs.pictures.plain(own, split="train")))
    return {"examples": np.stack(found), "examples_group": np.array(groups, dtype=np.int64)}


def _grid(images: Float[torch.Tensor, "image 3 height width"]) -> UInt8[np.ndarray, "num side side 3"]:
    side = min(max(images.shape[-1], SIZES_PX[0]), SIZES_PX[1])
    if images.shape[-1] != side:
        mode = "area" if images.shape[-1] > side else "nearest"
        images = F.interpolate(images, size=(side, side), mode=mode)
    filled = np.full((NUM_EXAMPLES, side, side, 3), 255, dtype=np.uint8)
    filled[: len(images)] = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return filled


def _concepts(inputs: EvaluationInputs, described: Described, grouping: str) -> Concepts | None:
    parts = []
    if inputs.train.labels is not None and grouping != LABELS:
        parts.append(labels_as_concepts(inputs.train))
    if not (grouping == LABELS and described.of_labels):
        with suppress(UserError):  # no word is said of five images
            parts.append(concepts_of_captions(dict(zip(inputs.train.ids, described.train, strict=True))))
    return side_by_side(parts) if parts else None


def _common_labels(inputs: EvaluationInputs, studied: Studied) -> list[str]:
    if inputs.train.labels is None or not inputs.train.class_names:
        return [""] * len(studied.members)
    labels, names = inputs.train.labels.numpy(), inputs.train.class_names
    return [names[common_label(labels, studied.grouping, group)] for group in studied.members]
