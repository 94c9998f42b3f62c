"""Significant activations of an evaluated encoder: what a study of naming starts from."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from qscore.errors import UserError, unknown_name
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.naming.activations import SOURCES, Activations, find_activations
from qscore.interpretability.naming.counted import Tally
from qscore.interpretability.naming.explained import Explained
from qscore.interpretability.naming.significance import (
    SHARE,
    discriminative_contributions,
    logit_contributions,
    significant,
)

NUM_IMAGES = 60  # of a group, as in the paper's table 1
ROWS_AT_ONCE = 4096  # contributions are dense, in float64
ALL = "all"


def gather_activations(
    inputs: EvaluationInputs,
    *,
    source: str = "discriminative",
    groups: Sequence[str] | None = None,
    num_images: int = NUM_IMAGES,
    share: float = SHARE,
    explained: Explained | None = None,
    num_groups: int | None = None,
    tally: Tally | None = None,
) -> Activations:
    """Returns the significant activations of some held-out images.

    Args:
        inputs: Representations by an encoder.
        source: "discriminative": features of L_i ∩ D with their h; needs no labels. "probe": terms of the linear
            probe's logit of the image's own class. "xnn": terms of the explanation network that stands for that logit.
        groups: Of each held-out image, within which people name; by default its class, or "all" without labels. Of the
            other sources it is the class.
        num_images: Drawn from each group, by the seed of the inputs; all of a smaller one.
        share: See `significant`.
        explained: The explanation networks, for "xnn".
        num_groups: Drawn by the seed, before anything else; all by default.
        tally: To count all groups in, drawn or not.

    Raises:
        UserError: If the source is unknown or lacks labels or networks, or nothing is significant anywhere.
    """
    if source not in SOURCES:
        raise unknown_name("source of activations", source, SOURCES)
    names = list(groups) if groups is not None and source == SOURCES[0] else _class_of_each(inputs)
    if len(names) != len(inputs.test.h):
        raise UserError(f"Expected a group for each of {len(inputs.test.h)} held-out images, got {len(names)}.")
    rows = _drawn(names, num_images, inputs.seed)
    kept, parts = _drawn_groups(names, num_groups, inputs.seed), []
    for part in np.split(rows, range(ROWS_AT_ONCE, len(rows), ROWS_AT_ONCE)):
        terms = _contributions(inputs, part, source, explained)
        if tally is not None:
            tally.add(significant(terms, share=share), [names[row] for row in part])
        is_kept = np.array([names[row] in kept for row in part], dtype=bool)
        shown = part[is_kept].tolist()
        ids, own = [inputs.test.ids[row] for row in shown], [names[row] for row in shown]
        how: dict[str, Any] = {"source": source, "fingerprint": inputs.test.fingerprint, "share": share}
        parts.append(find_activations(terms[is_kept], ids, own, **how))
    found = _joined(parts)
    if not found.activations:
        raise UserError(
            "Expected an image with evidence, got none: no feature of D is dominant in any; lower epsilon, or choose "
            "source='probe'."
        )
    return dataclasses.replace(found, notes=explained.notes if explained and source == "xnn" else ())


def _joined(parts: Sequence[Activations]) -> Activations:
    lists: dict[str, list[str]] = {}
    for group, samples in (pair for part in parts for pair in part.without_evidence.items()):
        lists.setdefault(group, []).extend(samples)
    none = {group: tuple(samples) for group, samples in lists.items()}
    rows = tuple(one for part in parts for one in part.activations)
    return dataclasses.replace(parts[0], activations=rows, without_evidence=none)


def _contributions(
    inputs: EvaluationInputs, rows: Int[np.ndarray, " row"], source: str, explained: Explained | None
) -> Float[np.ndarray, "row term"]:
    h = inputs.test.h[torch.from_numpy(rows)]
    if source == "discriminative":
        return discriminative_contributions(h, inputs.discriminative, inputs.epsilon)
    labels = inputs.labels[1].numpy()[rows]
    if source == "probe":
        return logit_contributions(h, inputs.probe.model, labels)
    return networks_of(explained).xnn.contributions(h, outputs_of(inputs, labels))


def networks_of(explained: Explained | None) -> Explained:
    """Returns explanation networks that have to be there.

    Raises:
        UserError: If they are not.
    """
    if explained is None:
        raise UserError("Expected explanation networks for source='xnn', got none; make them by explain_probe.")
    return explained


def outputs_of(inputs: EvaluationInputs, labels: Int[np.ndarray, " _"]) -> Int[Tensor, " _"]:
    """Returns the places of labels among the classes of the probe.

    Raises:
        UserError: If the probe does not know one.
    """
    known = inputs.probe.model.classes
    if unknown := sorted(set(labels.tolist()) - set(known.tolist())):
        raise UserError(f"Expected classes with training images, got {inputs.test.class_names[unknown[0]]} without.")
    return torch.from_numpy(np.searchsorted(known, labels))


def _class_of_each(inputs: EvaluationInputs) -> list[str]:
    if inputs.test.labels is None:
        return [ALL] * len(inputs.test.h)
    return [inputs.test.class_names[int(label)] for label in inputs.test.labels]


def _drawn_groups(names: Sequence[str], num: int | None, seed: int) -> set[str]:
    groups = sorted(set(names))
    return {groups[place] for place in np.random.default_rng(seed).permutation(len(groups))[:num].tolist()}


def _drawn(names: Sequence[str], num: int, seed: int) -> Int[np.ndarray, " row"]:
    order = np.random.default_rng(seed).permutation(len(names))
    taken: dict[str, list[int]] = {}
    for row in order.tolist():
        taken.setdefault(names[row], []).append(row)
    return np.array([row for group in sorted(taken) for row in sorted(taken[group][:num])], dtype=np.int64)
