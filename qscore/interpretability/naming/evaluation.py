"""The evaluation that finds what people are to name: significant activations of a run's images, and their maps."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from qscore.evaluation import EvaluationInputs
from qscore.interpretability.naming.activations import Activations
from qscore.interpretability.naming.excitation import GRADIENT
from qscore.interpretability.naming.explained import Explained, explain_probe
from qscore.interpretability.naming.gathering import NUM_IMAGES, gather_maps
from qscore.interpretability.naming.grouped import by_feature, draw_groups, gather_groups
from qscore.interpretability.naming.maps_folder import write_maps
from qscore.interpretability.naming.options import FEATURE, check_options
from qscore.interpretability.naming.significance import SHARE
from qscore.results import Result

NAME = "naming"
NUM_GROUPS = 12  # categories of the paper


def naming(
    inputs: EvaluationInputs,
    *,
    source: str = "discriminative",
    group_by: str | None = None,
    num_images: int = NUM_IMAGES,
    num_groups: int = NUM_GROUPS,
    num_clusters: int | None = None,
    share: float = SHARE,
    layer: str | None = None,
    method: str | None = None,
    force: bool = False,
    maps: bool = True,
) -> Result:
    """Returns how many features make up what held-out images say, and writes the folder of maps that people name.

    Hamidi-Haines et al. (arXiv 1812.07150, section 3). Their features are those of explanation networks of class
    scores; ours by default are the discriminative ones that dominate an image, with neither score nor label.

    Args:
        inputs: The cached representations, with the images for the maps.
        source: "discriminative", "probe" or "xnn", see `gather_activations`.
        group_by: "label", "cluster" or "feature", see `gather_groups`.
        num_images: Of each group, at most.
        num_groups: At most; drawn by the seed.
        num_clusters: Of k-means, with `group_by` "cluster".
        share: Of the positive score that the features of an image make up.
        layer: Whose places the maps have; by default the last with 7 on a side, see `default_layer`.
        method: "excitation_backprop", "contrastive_excitation_backprop" or "gradient_activation"; by default the first
            for a convolutional network, the last for a ViT.
        force: Take explanation networks even if they are unfaithful.
        maps: Whether to write the folder of maps.

    Raises:
        UserError: If an option has no meaning, or see `gather_activations` and `gather_maps`.
    """
    how: dict[str, Any] = {"source": source, "group_by": group_by, "share": share}
    of_groups: dict[str, Any] = {"num_images": num_images, "num_clusters": num_clusters}
    check_options(**how, **of_groups, method=method, num_groups=num_groups, layer=layer, force=force, maps=maps)
    explained = explain_probe(inputs, force=force) if source == "xnn" else None
    gathered = gather_groups(inputs, **how, **of_groups, explained=explained)
    metrics = _counted(gathered) | _of_networks(explained)
    metrics["dead_features"] = int((inputs.test.h <= 0).all(0).sum())
    metrics["num_features"] = inputs.test.h.shape[1]
    shown = by_feature(gathered, num_images) if group_by == FEATURE else gathered
    shown = draw_groups(shown, num_groups, inputs.seed)
    metrics |= {"num_groups": len(shown.groups), "num_to_name": len(shown.activations)}
    settings = {**inputs.settings(), **how, **of_groups, "num_groups": num_groups, "maps": ""}
    notes = gathered.notes
    if maps and inputs.pictures is None:
        notes = (*notes, "There are no images at hand: no maps are written.")
    elif maps:
        shown, heat = gather_maps(inputs, shown, layer=layer, method=method, explained=explained)
        metrics |= _of_maps(heat)
        settings |= {
            "layer": shown.layer,
            "method": shown.method,
            "maps": write_maps(inputs, shown, heat, _of_classes(inputs, explained)),
        }
        if shown.method == GRADIENT:
            notes = (*notes, "Maps are gradient times activation, not Excitation Backprop, and conserve nothing.")
    return Result(NAME, metrics, settings, _arrays(shown), notes)


def _counted(activations: Activations) -> dict[str, float | None]:
    without = sum(map(len, activations.without_evidence.values()))
    num_images = len({one.sample for one in activations.activations}) + without
    return {
        "num_activations": len(activations.activations),
        "num_images": num_images,
        "significant_features": len(activations.activations) / num_images,
        "distinct_features": len({one.feature for one in activations.activations}),
        "without_evidence": without / num_images,
    }


def _of_networks(explained: Explained | None) -> dict[str, float | None]:
    if explained is None:
        return {}
    found = explained.fidelity
    return {
        "xnn_accuracy": found.accuracy,
        "network_accuracy": found.network_accuracy,
        "xnn_same_decision": found.same_decision,
        "xnn_error": max(found.errors),
        "xnn_dead_features": sum(found.dead),
    }


def _of_classes(inputs: EvaluationInputs, explained: Explained | None) -> dict[str, dict[str, float]]:
    """What table 1 says of the explanation network of each class."""
    if explained is None:
        return {}
    names = [inputs.test.class_names[label] for label in inputs.probe.model.classes.tolist()]
    errors = zip(names, explained.fidelity.rmse, explained.fidelity.ranges, strict=True)
    return {name: {"rmse": rmse, "range": score_range} for name, rmse, score_range in errors}


def _of_maps(maps: Float[Tensor, "activation height width"]) -> dict[str, float | None]:
    """Whether every map that shows something is >= 0 and sums to 1, as it must be."""
    sums = maps.double().sum((1, 2))
    is_blank = sums == 0
    error = (sums - 1).abs()[~is_blank]
    return {
        "blank_maps": int(is_blank.sum()),
        "map_sum_error": float(error.max()) if len(error) else None,
        "map_minimum": float(torch.min(maps)),
    }


def _arrays(activations: Activations) -> dict[str, np.ndarray]:
    rows = activations.activations
    names = {name: sorted(samples) for name, samples in activations.without_evidence.items()}
    return {
        "activation": np.array([one.activation_id for one in rows], str),
        "sample": np.array([one.sample for one in rows], str),
        "group": np.array([one.group for one in rows], str),
        "feature": np.array([one.feature for one in rows], np.int64),
        "contribution": np.array([one.contribution for one in rows], np.float64),
        "share": np.array([one.share for one in rows], np.float64),
        "without_evidence": np.array([sample for samples in names.values() for sample in samples], str),
    }
