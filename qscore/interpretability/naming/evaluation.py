"""The evaluation that finds what people are to name: significant activations of a run's images, and their maps."""

import dataclasses
from typing import Any

from qscore.data.datamodule import Split
from qscore.evaluation import EvaluationInputs
from qscore.interpretability.naming.backward import layer_named
from qscore.interpretability.naming.counted import Tally, as_arrays, of_classes, of_maps, of_networks
from qscore.interpretability.naming.excitation import GRADIENT
from qscore.interpretability.naming.explained import explain_probe
from qscore.interpretability.naming.gathering import NUM_IMAGES
from qscore.interpretability.naming.gathering_maps import gather_maps
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
    split: Split = "test",
    layer: str | None = None,
    method: str | None = None,
    force: bool = False,
    maps: bool = True,
) -> Result:
    """Returns how many features make up what images say, and writes the folder of maps that people name.

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
        split: "test", the held-out images, or "train".
        layer: Whose places the maps have; by default the last with 4 on a side, see `default_layer`.
        method: "excitation_backprop", "contrastive_excitation_backprop" or "gradient_activation"; by default the first
            for a convolutional network, the last for a ViT.
        force: Take explanation networks even if they are unfaithful.
        maps: Whether to write the folder of maps.

    Raises:
        UserError: If an option has no meaning, or see `gather_activations` and `gather_maps`.
    """
    how: dict[str, Any] = {"source": source, "group_by": group_by, "share": share}
    of_groups: dict[str, Any] = {"num_images": num_images, "num_clusters": num_clusters}
    check_options(
        **how, **of_groups, method=method, num_groups=num_groups, split=split, layer=layer, force=force, maps=maps
    )
    if maps and inputs.pictures is not None and layer is not None:
        layer_named(inputs.pictures.encoder, layer)  # before anything takes long
    explained = explain_probe(inputs, force=force) if source == "xnn" else None  # judged by held-out images always
    inputs = inputs if split == "test" else dataclasses.replace(inputs, test=inputs.train)
    tally = Tally(source)
    shown = gather_groups(inputs, **how, **of_groups, explained=explained, num_groups=num_groups, tally=tally)
    metrics = tally.metrics() | of_networks(explained)
    metrics["dead_features"] = int((inputs.test.h <= 0).all(0).sum())
    metrics["num_features"] = inputs.test.h.shape[1]
    if group_by == FEATURE:
        shown = draw_groups(by_feature(shown, num_images), num_groups, inputs.seed)
    metrics |= {"num_groups": len(shown.groups), "num_to_name": len(shown.activations)}
    settings = {**inputs.settings(), **how, **of_groups, "num_groups": num_groups, "split": split, "maps": ""}
    notes = shown.notes
    if maps and inputs.pictures is None:
        notes = (*notes, "There are no images at hand: no maps are written.")
    elif maps:
        shown, heat = gather_maps(inputs, shown, layer=layer, method=method, explained=explained, split=split)
        notes = shown.notes
        metrics |= of_maps(heat) | {"num_to_name": len(shown.activations)}
        settings |= {
            "layer": shown.layer,
            "method": shown.method,
            "maps": write_maps(inputs, shown, heat, of_classes(inputs, explained), split=split),
        }
        if shown.method == GRADIENT:
            notes = (*notes, "Maps are gradient times activation, not Excitation Backprop, and conserve nothing.")
    return Result(NAME, metrics, settings, as_arrays(shown), notes)
