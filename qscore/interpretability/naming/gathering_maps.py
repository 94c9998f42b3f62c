"""Maps of significant activations: where in its image is what makes a term count."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from qscore.data.datamodule import Split
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs
from qscore.installation import command
from qscore.interpretability.naming.activations import Activation, Activations
from qscore.interpretability.naming.backward import layer_named
from qscore.interpretability.naming.excitation import GRADIENT, activation_maps, method_for
from qscore.interpretability.naming.explained import Explained
from qscore.interpretability.naming.gathering import networks_of, outputs_of
from qscore.interpretability.naming.maps import default_layer

AT_ONCE = 64  # maps


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

    A map is of what makes a term positive: of a negative feature with a negative weight, of what makes the feature
    negative. Excitation Backprop knows none of these, and leaves them out, with a note.

    Args:
        inputs: Those that they were gathered from, with their pictures.
        activations: See `gather_activations`.
        layer: Its dotted name; see `default_layer`.
        method: See `activation_maps`; by default `method_for`.
        explained: The explanation networks, for "xnn".
        split: Where the images of `inputs.test` are: "train" if these are the training images.

    Raises:
        UserError: If the images are not at hand, all maps are blank, or see `activation_maps`.
    """
    if inputs.pictures is None:
        raise UserError(f"Expected the images behind the representations for maps; run {command('evaluate')} on them.")
    encoder = inputs.pictures.encoder
    if layer is not None:
        layer_named(encoder, layer)
    method = method or method_for(encoder)
    shown = activations if method == GRADIENT else with_positive_features(inputs, activations)
    samples = list(dict.fromkeys(activation.sample for activation in shown.activations))
    images = inputs.pictures.plain(inputs.pictures.positions(samples, split=split), split=split)
    layer = default_layer(encoder, images[:1].to(encoder.mean.device)) if layer is None else layer
    place = {sample: number for number, sample in enumerate(samples)}
    maps = []
    for start in range(0, len(shown.activations), AT_ONCE):
        part = shown.activations[start : start + AT_ONCE]
        chosen = _starts(inputs, part, shown.source, explained, signed=method == GRADIENT)
        rows = [place[activation.sample] for activation in part]
        maps.append(activation_maps(encoder, images[rows], chosen, layer=layer, method=method))
    found = torch.cat(maps)
    if not found.any():
        raise UserError(
            f"Expected a layer that shows where features come from, got '{layer}', at which all {len(found)} maps are "
            "blank; choose an earlier one."
        )
    return dataclasses.replace(shown, layer=layer, method=method), found


def with_positive_features(inputs: EvaluationInputs, activations: Activations) -> Activations:
    """Returns the activations that Excitation Backprop is defined for, with a note of how many are not.

    A term w_j h_j is evidence as well where both are negative; but of a negative feature nothing can be shared out.
    X-features are never negative.

    Raises:
        UserError: If there are no others.
    """
    if activations.source == "xnn":
        return activations
    values = _values(inputs, activations.activations).tolist()
    kept = tuple(one for one, value in zip(activations.activations, values, strict=True) if value > 0)
    lost = len(values) - len(kept)
    if not kept:
        raise UserError(
            f"Expected features above 0 for Excitation Backprop, got {lost} terms of negative ones alone; choose "
            f"method={GRADIENT}."
        )
    note = (
        f"{lost} of {len(values)} terms are of a negative feature with a negative weight: Excitation Backprop is not "
        f"defined for these, and they have no map; method={GRADIENT} shows them."
    )
    notes = (*activations.notes, note) if lost else activations.notes
    return dataclasses.replace(activations, activations=kept, notes=notes)


def _starts(
    inputs: EvaluationInputs, part: Sequence[Activation], source: str, explained: Explained | None, *, signed: bool
) -> Tensor:
    """What maps begin with: a feature for each activation; or weights, with the sign in which it is evidence."""
    features = torch.tensor([one.feature for one in part])
    if source == "xnn":
        labels = np.array([inputs.test.class_names.index(one.group) for one in part])
        return networks_of(explained).xnn.excitation(outputs_of(inputs, labels), features, signed=signed)
    if not signed:
        return features
    h = _values(inputs, part)
    # A term w h above 0 has a weight of the sign of the feature.
    return torch.nn.functional.one_hot(features, inputs.test.h.shape[1]) * h.sign()[:, None]


def _values(inputs: EvaluationInputs, part: Sequence[Activation]) -> Float[Tensor, " activation"]:
    place = {sample: row for row, sample in enumerate(inputs.test.ids)}
    return inputs.test.h[[place[one.sample] for one in part], [one.feature for one in part]]
