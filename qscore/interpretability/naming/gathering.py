"""Significant activations of an evaluated encoder with their maps: what a study of naming starts from."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from qscore.data.datamodule import Split
from qscore.errors import UserError, unknown_name
from qscore.evaluation import EvaluationInputs
from qscore.installation import command
from qscore.interpretability.naming.activations import SOURCES, Activations, find_activations
from qscore.interpretability.naming.excitation import activation_maps, method_for
from qscore.interpretability.naming.explained import Explained
from qscore.interpretability.naming.maps import default_layer
from qscore.interpretability.naming.significance import SHARE, discriminative_contributions, logit_contributions

NUM_IMAGES = 60  # of a group, as in the paper's table 1
ALL = "all"


def gather_activations(
    inputs: EvaluationInputs,
    *,
    source: str = "discriminative",
    groups: Sequence[str] | None = None,
    num_images: int = NUM_IMAGES,
    share: float = SHARE,
    explained: Explained | None = None,
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

    Raises:
        UserError: If the source is unknown or lacks labels or networks, or nothing is significant anywhere.
    """
    if source not in SOURCES:
        raise unknown_name("source of activations", source, SOURCES)
    names = list(groups) if groups is not None and source == SOURCES[0] else _class_of_each(inputs)
    if len(names) != len(inputs.test.h):
        raise UserError(f"Expected a group for each of {len(inputs.test.h)} held-out images, got {len(names)}.")
    rows = _drawn(names, num_images, inputs.seed)
    found = find_activations(
        _contributions(inputs, rows, source, explained),
        [inputs.test.ids[row] for row in rows],
        [names[row] for row in rows],
        source=source,
        fingerprint=inputs.test.fingerprint,
        share=share,
    )
    if not found.activations:
        raise UserError(
            "Expected an image with evidence, got none: no feature of D is dominant in any; lower epsilon, or choose "
            "source='probe'."
        )
    return dataclasses.replace(found, notes=explained.notes if explained and source == "xnn" else ())


def gather_maps(
    inputs: EvaluationInputs,
    activations: Activations,
    *,
    layer: str | None = None,
    method: str | None = None,
    explained: Explained | None = None,
    split: Split = "test",
) -> tuple[Activations, Float[Tensor, "activation height width"]]:
    """Returns the maps of activations, and the activations with the layer and the method that these are by.

    Args:
        inputs: Those that they were gathered from, with their pictures.
        activations: See `gather_activations`.
        layer: Its dotted name; see `default_layer`.
        method: See `activation_maps`; by default `method_for`.
        explained: The explanation networks, for "xnn".
        split: Where the images of `inputs.test` are: "train" if these are the training images.

    Raises:
        UserError: If the images are not at hand, or see `activation_maps`.
    """
    if inputs.pictures is None:
        raise UserError(f"Expected the images behind the representations for maps; run {command('evaluate')} on them.")
    encoder = inputs.pictures.encoder
    samples = list(dict.fromkeys(activation.sample for activation in activations.activations))
    images = inputs.pictures.plain(inputs.pictures.positions(samples, split=split), split=split)
    layer, method = layer or default_layer(encoder, images[:1].to(encoder.mean.device)), method or method_for(encoder)
    place = {sample: number for number, sample in enumerate(samples)}
    rows = torch.tensor([place[activation.sample] for activation in activations.activations])
    features = torch.tensor([activation.feature for activation in activations.activations])
    if activations.source == "xnn":
        labels = [inputs.test.class_names.index(activation.group) for activation in activations.activations]
        features = _networks(explained).xnn.excitation(_outputs(inputs, np.array(labels)), features)
    maps = [
        activation_maps(encoder, images[part], chosen, layer=layer, method=method)
        for part, chosen in zip(torch.split(rows, 64), torch.split(features, 64), strict=True)
    ]
    return dataclasses.replace(activations, layer=layer, method=method), torch.cat(maps)


def _contributions(
    inputs: EvaluationInputs, rows: Int[np.ndarray, " row"], source: str, explained: Explained | None
) -> Float[np.ndarray, "row term"]:
    h = inputs.test.h[torch.from_numpy(rows)]
    if source == "discriminative":
        return discriminative_contributions(h, inputs.discriminative, inputs.epsilon)
    labels = inputs.labels[1].numpy()[rows]
    if source == "probe":
        return logit_contributions(h, inputs.probe.model, labels)
    return _networks(explained).xnn.contributions(h, _outputs(inputs, labels))


def _networks(explained: Explained | None) -> Explained:
    if explained is None:
        raise UserError("Expected explanation networks for source='xnn', got none; make them by explain_probe.")
    return explained


def _outputs(inputs: EvaluationInputs, labels: Int[np.ndarray, " _"]) -> Int[Tensor, " _"]:
    known = inputs.probe.model.classes
    if unknown := sorted(set(labels.tolist()) - set(known.tolist())):
        raise UserError(f"Expected classes with training images, got {inputs.test.class_names[unknown[0]]} without.")
    return torch.from_numpy(np.searchsorted(known, labels))


def _class_of_each(inputs: EvaluationInputs) -> list[str]:
    if inputs.test.labels is None:
        return [ALL] * len(inputs.test.h)
    return [inputs.test.class_names[int(label)] for label in inputs.test.labels]


def _drawn(names: Sequence[str], num: int, seed: int) -> Int[np.ndarray, " row"]:
    order = np.random.default_rng(seed).permutation(len(names))
    taken: dict[str, list[int]] = {}
    for row in order.tolist():
        taken.setdefault(names[row], []).append(row)
    return np.array([row for group in sorted(taken) for row in sorted(taken[group][:num])], dtype=np.int64)
