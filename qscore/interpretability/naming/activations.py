"""Significant activations as a file of lines of JSON, which a study is made of and every figure counts.

The first line tells where they come from, and how their maps were made:

    {"format": "qscore activations", "version": 1, "source": "discriminative", "method": "excitation_backprop",
     "layer": "layer3", "share": 0.9, "fingerprint": "...", "without_evidence": {"cat": ["17"]}, "notes": []}

and every other line is an activation, with the fields of `Activation`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from qscore.errors import UserError
from qscore.files import fingerprint as digest
from qscore.interpretability.naming.lines import read_lines, record_of, write_lines
from qscore.interpretability.naming.significance import SHARE, significant, without_evidence

FORMAT, VERSION = "qscore activations", 1
SOURCES = ("discriminative", "probe", "xnn")


@dataclass(frozen=True)
class Activation:
    """One significant feature in one image.

    Attributes:
        activation_id: Says nothing about the rest.
        sample: Id of the image.
        group: The class, or other group of images or features, within which it is named.
        feature: The coordinate of h, or the X-feature of the group.
        contribution: To the positive score of the image: h_j, w_cj h_j or v_k x_k.
        share: Of the positive score.
    """

    activation_id: str
    sample: str
    group: str
    feature: int
    contribution: float
    share: float


@dataclass(frozen=True)
class Activations:
    """All significant activations of some images.

    Attributes:
        activations: Group by group, image by image, strongest first.
        source: "discriminative": features of L ∩ D; "probe": terms of a linear probe's logit; "xnn": X-features.
        fingerprint: Of the representations they come from.
        method: Of the maps, see `activation_maps`.
        layer: Where the maps are.
        share: Of the positive score that the activations of an image reach.
        without_evidence: Images of each group whose score has no positive term; they are in no denominator.
        notes: What a reader of the names must see, such as the fidelity of an xNN.
    """

    activations: tuple[Activation, ...]
    source: str
    fingerprint: str
    method: str = ""
    layer: str = ""
    share: float = SHARE
    without_evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups, in order."""
        return tuple(dict.fromkeys(activation.group for activation in self.activations))


def find_activations(
    contributions: Float[np.ndarray, "sample term"],
    ids: Sequence[str],
    groups: Sequence[str],
    *,
    source: str,
    fingerprint: str,
    share: float = SHARE,
) -> Activations:
    """Returns the significant activations of some images, see `significant`.

    Args:
        contributions: Of every term to the score of each image; of its class, where there are classes.
        ids: Of the images.
        groups: Of each image: its class or cluster.
        source: See `Activations`.
        fingerprint: Of the representations.
        share: Of the positive score.

    Raises:
        UserError: If these are not of the same images, or the source is unknown.
    """
    if source not in SOURCES or not len(contributions) == len(ids) == len(groups):
        raise UserError(
            f"Expected contributions, ids and groups of the same images from {', '.join(SOURCES)}, got "
            f"{len(contributions)}, {len(ids)} and {len(groups)} from {source}."
        )
    chosen, score = significant(contributions, share=share), np.maximum(contributions, 0).sum(1)
    found = []
    rows: dict[str, list[int]] = {}
    for i, group in enumerate(groups):
        rows.setdefault(group, []).append(i)
    for group, i in ((group, i) for group, own in rows.items() for i in own):
        for term in sorted(np.flatnonzero(chosen[i]).tolist(), key=lambda k: (-contributions[i, k], k)):
            value = float(contributions[i, term])
            name = digest(fingerprint, source, group, ids[i], str(term))
            found.append(Activation(name, ids[i], group, term, value, value / float(score[i])))
    lists: dict[str, list[str]] = {}
    for sample in without_evidence(contributions).tolist():
        lists.setdefault(groups[sample], []).append(ids[sample])
    none = {group: tuple(samples) for group, samples in lists.items()}
    return Activations(tuple(found), source, fingerprint, share=share, without_evidence=none)


def save_activations(activations: Activations, path: Path) -> None:
    """Writes the file, whole or not at all; maps are kept by `save_maps`."""
    fields = dataclasses.asdict(activations)
    rows = fields.pop("activations")
    write_lines(path, [{"format": FORMAT, "version": VERSION, **fields}, *rows])


def load_activations(path: Path) -> Activations:
    """Reads what `save_activations` wrote.

    Raises:
        UserFileNotFoundError: If it is not there.
        UserError: If it is another file, or an activation comes twice; with the line.
    """
    head, rows = read_lines(path, FORMAT, VERSION)
    found = tuple(record_of(Activation, row, where) for row, where in rows)
    names = [activation.activation_id for activation in found]
    if len(set(names)) < len(names):
        raise UserError(f"Expected every activation once in {path.name}, got one twice; find them again.")
    try:
        none = {group: tuple(samples) for group, samples in head.pop("without_evidence").items()}
        return Activations(found, **head | {"without_evidence": none, "notes": tuple(head["notes"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"Expected the source of activations in the first line of {path}, got {error!r}.") from error
