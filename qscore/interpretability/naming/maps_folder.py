"""The folder of activation maps that a naming study is made of.

maps.jsonl     an activation a line: activation_id, group, image, feature, score, image_file, map_file
images/        of every sample that has a map, as PNG
maps/          of every activation: grey values of the image's size, 255 where the map is highest
groups.json    {"title", "groups": {name: {"title" for annotators, numbers for tables}}, "source": encoder, layer, ...}
activations.jsonl   as of `save_activations`
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from qscore.data.datamodule import Split
from qscore.errors import UserError
from qscore.evaluation import EvaluationInputs, Pictures
from qscore.files import fingerprint, write_json, write_text
from qscore.installation import command
from qscore.interpretability.naming.activations import Activations, save_activations
from qscore.interpretability.naming.excitation import CONTRASTIVE, EXCITATION, GRADIENT

LONGEST_PX = 512
Facts: TypeAlias = Mapping[str, Mapping[str, float]]
METHOD_NAMES = {
    EXCITATION: "excitation backprop",
    CONTRASTIVE: "contrastive excitation backprop",
    GRADIENT: "gradient x activation",
}


def write_maps(
    inputs: EvaluationInputs,
    activations: Activations,
    maps: Float[Tensor, "activation row column"],
    known: Facts | None = None,
    *,
    split: Split = "test",
) -> str:
    """Writes the folder beside the representations, whole or not at all, and returns its name.

    The name follows from what is in it: the same maps are not written twice. Titles of groups say nothing of them.

    Args:
        inputs: With pictures.
        activations: Of images of a split.
        maps: One each, >= 0.
        known: More numbers of each group, for table 1.
        split: Where the images are.

    Raises:
        UserError: If there are no pictures, or an image cannot be read.
    """
    if inputs.pictures is None:
        raise UserError(
            f"Expected the images behind the representations for maps, got none; use {command('evaluate')}."
        )
    facts = _facts(activations, inputs.pictures.cache.parent.name, split, inputs.seed, known)
    ids = (one.activation_id for one in activations.activations)
    name = f"maps-{fingerprint(*ids, maps.numpy().tobytes(), json.dumps(facts, sort_keys=True))}"
    folder = inputs.pictures.cache / name
    if folder.is_dir():
        return name
    temporary = folder.with_name(f".{name}-{os.getpid()}")
    try:
        for part in ("images", "maps"):
            (temporary / part).mkdir(parents=True)
        _write_rows(inputs.pictures, activations, maps, temporary, split)
        save_activations(activations, temporary / "activations.jsonl")
        write_json(temporary / "groups.json", facts)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return name


def grey(heat: Float[np.ndarray, "row column"], size: tuple[int, int]) -> Image.Image:
    """Returns a map as grey values, enlarged bilinearly; its highest place is 255, and one of zeros stays black.

    Args:
        heat: >= 0.
        size: Width and height in pixels.
    """
    large = Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    values = np.asarray(large).clip(min=0)
    peak = float(values.max())
    return Image.fromarray((255 * values / peak if peak > 0 else values).round().astype(np.uint8))


def _write_rows(pictures: Pictures, activations: Activations, maps: Tensor, folder: Path, split: Split) -> None:
    samples = list(dict.fromkeys(one.sample for one in activations.activations))
    files = {sample: f"images/{number:05d}.png" for number, sample in enumerate(samples)}
    sizes = _write_images(pictures, files, folder, split)
    rows = []
    progress = tqdm(zip(activations.activations, maps.numpy(), strict=True), "Maps", len(maps), leave=False)
    for number, (one, heat) in enumerate(progress):
        map_file = f"maps/{number:05d}.png"
        grey(heat, sizes[one.sample]).save(folder / map_file)
        shown = {"image_file": files[one.sample], "map_file": map_file}
        known = {"activation_id": one.activation_id, "group": one.group, "image": one.sample}
        rows.append({**known, "feature": str(one.feature), "score": one.contribution, **shown})
    write_text(folder / "maps.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _write_images(
    pictures: Pictures, files: Mapping[str, str], folder: Path, split: Split
) -> dict[str, tuple[int, int]]:
    """Writes the images as the encoder sees them, on which maps lie, and returns their sizes."""
    sizes = {}
    positions = pictures.positions(files, split=split)
    for (sample, file), position in zip(files.items(), positions, strict=True):
        pixels = pictures.plain([position], split=split)[0]
        values = (255 * pixels).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
        image = Image.fromarray(values)
        image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
        image.save(folder / file)
        sizes[sample] = image.size
    return sizes


def _facts(activations: Activations, run: str, split: str, seed: int, known: Facts | None) -> dict[str, Any]:
    places = np.random.default_rng(seed).permutation(len(activations.groups)) + 1  # classes have an order of their own
    groups = {}
    for name, place in sorted(zip(activations.groups, places.tolist(), strict=True), key=lambda pair: pair[1]):
        own = [one for one in activations.activations if one.group == name]
        none = len(activations.without_evidence.get(name, ()))
        groups[name] = {
            "title": f"Group {place}",
            "num_images": len({one.sample for one in own}) + none,
            "num_without_evidence": none,
            **(known or {}).get(name, {}),
        }
    source = {
        "encoder": run,
        "split": split,
        "features": activations.source,
        "layer": activations.layer,
        "method": METHOD_NAMES[activations.method],
        "share": activations.share,
        "notes": list(activations.notes),
    }
    return {"title": f"Features of {run}", "groups": groups, "source": source}
