"""Maps of activations: which layer they are of, the file they are kept in, the picture that people see."""

from pathlib import Path

import matplotlib
import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn

from qscore.arrays import read_arrays
from qscore.errors import UserError, UserFileNotFoundError
from qscore.evaluation.attribution import as_map, at_rest, has_tokens
from qscore.files import written_whole
from qscore.interpretability.naming.activations import Activations

# On a side. Fewer do not tell parts of an object apart; earlier maps show, in a ResNet, a grid of the places that its
# strided 1x1 shortcuts read, whatever the image is.
MIN_PLACES = 4
COLOURS = "turbo"
DIMMED, OPAQUE = 0.45, 0.75


def default_layer(encoder: nn.Module, images: Tensor) -> str:
    """Returns the last part of a network whose map has 4 places on a side, or else the one with most places.

    Late layers know objects and early ones places; the paper says nothing of the layer. For a ViT it is the norm before
    the last attention, since with class-token pooling patches have no gradient after it.

    Args:
        encoder: An `Encoder`, or another network with named parts.
        images: One is enough.

    Raises:
        UserError: If no part of the network has a map.
    """
    network = getattr(encoder, "network", encoder)
    if has_tokens(network) and len(blocks := dict(network.named_children()).get("blocks", nn.Sequential())):
        return f"blocks.{len(blocks) - 1}.norm1"
    places: dict[str, int] = {}

    def looking(name: str) -> object:
        def look(_module: nn.Module, _args: object, output: object) -> None:
            if (heat := as_map(network, output)) is not None:
                places[name] = min(heat.shape[-2:])

        return look

    handles = [part.register_forward_hook(looking(name)) for name, part in network.named_children()]  # type: ignore[arg-type]
    try:
        with at_rest(encoder), torch.no_grad():
            encoder(images[:1])
    finally:
        for handle in handles:
            handle.remove()
    if max(places.values(), default=0) < 2:
        raise UserError("Expected a network with a map in one of its parts, got none; name a layer.")
    wanted = min(MIN_PLACES, max(places.values()))
    return [name for name, side in places.items() if side >= wanted][-1]


def save_maps(maps: Float[Tensor, "activation height width"], activations: Activations, path: Path) -> None:
    """Writes an `.npz` of `maps`, float32, and the `ids` of their activations."""
    ids = np.array([activation.activation_id for activation in activations.activations], dtype=str)
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, ids=ids, maps=maps.float().cpu().numpy())


def load_maps(activations: Activations, path: Path) -> Float[np.ndarray, "activation height width"]:
    """Returns the maps of activations, in their order.

    Raises:
        UserFileNotFoundError: If there is no such file.
        UserError: If it is another file, or has maps of other activations.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected the maps of activations, found no file at {path}; make them again.")
    arrays = read_arrays(path, ("ids", "maps"))
    ids, maps = (arrays.get(name, np.empty(0)) for name in ("ids", "maps"))
    is_maps = maps.ndim == 3 and maps.dtype == np.float32 and ids.shape == maps.shape[:1] and np.isfinite(maps).all()
    place = {name: i for i, name in enumerate(ids.tolist())} if is_maps else {}
    wanted = [activation.activation_id for activation in activations.activations]
    if missing := [name for name in wanted if name not in place]:
        raise UserError(
            f"Expected the maps of these activations in {path}, got none of {len(missing)}; make them again."
        )
    return np.asarray(maps[[place[name] for name in wanted]])


def overlay(
    image: UInt8[np.ndarray, "height width 3"], heat: Float[np.ndarray, "rows columns"]
) -> UInt8[np.ndarray, "height width 3"]:
    """Returns an image under its map: enlarged bilinearly, its highest place red, dim where the map is low.

    Args:
        image: RGB.
        heat: >= 0, of any scale; all 0 leaves the image dim.
    """
    height, width = image.shape[:2]
    peak = float(heat.max())
    scaled = Image.fromarray((heat / peak if peak > 0 else heat).astype(np.float32), mode="F")
    level = np.clip(np.asarray(scaled.resize((width, height), Image.Resampling.BILINEAR)), 0, 1)[..., None]
    colours = matplotlib.colormaps[COLOURS](level[..., 0])[..., :3]
    dimmed = DIMMED * image / 255
    return np.asarray(((1 - OPAQUE * level) * dimmed + OPAQUE * level * colours) * 255).round().astype(np.uint8)
