"""Makes a naming study of a folder of activation maps: opaque names, plain pixels, maps as a layer of heat."""

import json
import secrets
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import parse_json, read_json, write_json, write_text
from qscore.study.making import made_whole
from qscore.study.material import GROUPS
from qscore.study.naming.folder import KIND, Activation, NamingStudy, load_naming_study
from qscore.study.naming.rules import NamingPolicies
from qscore.study.out import check_free
from qscore.study.plain_images import write_image, write_plain_images

_LONGEST_SIDE_PX = 512
_STOPS = ((0.0, (38, 12, 90)), (0.35, (187, 30, 100)), (0.7, (249, 115, 22)), (1.0, (255, 240, 120)))  # dark to bright
CONSENT = """You will see images with coloured marks on them. What you do is kept, with its time, under a number and not
under your name.

There is no wrong way to look: name what you see."""
INSTRUCTIONS = {
    "naming": "The marks show what a program looked at. Put marks that show the same kind of thing into one concept, "
    "and give it a short name. Make no concept for only one or two images. Discard marks that show nothing, and leave "
    "what you are not sure of unlabelled."
}


def make_naming_study(
    maps: Path, folder: Path, *, title: str, policies: NamingPolicies | None = None, seed: int = 0
) -> NamingStudy:
    """Writes a naming study, whole or not at all, and reads it back.

    Args:
        maps: a folder with `maps.jsonl`, `groups.json`, `images/` and `maps/`, as the evaluation `naming` writes it.
        folder: for the study; new or empty.
        title: stands on the first page.
        policies: the rules; by default everyone names every group.
        seed: of the order, another for each annotator.

    Raises:
        UserError: the folder is in use, or the maps are not as expected.
    """
    check_free(folder)
    rows, titles = _read_maps(maps)
    groups_of_rows = dict.fromkeys(str(row["group"]) for row in rows)
    names = [name for name in dict.fromkeys([*titles, *groups_of_rows]) if name in groups_of_rows]
    keys = {name: secrets.token_hex(6) for name in names}
    groups = {keys[name]: {"title": titles.get(name) or f"Group {i}", "group": name} for i, name in enumerate(names, 1)}
    texts = {"kind": KIND, "title": title, "consent": CONSENT, "instructions": INSTRUCTIONS}
    rules = asdict(policies or NamingPolicies())
    with made_whole(folder) as made:
        originals = {str(row["image"]): _inside(maps, row["image_file"]) for row in rows}
        images = write_plain_images(originals, made / "images")
        activations = []
        for row in rows:
            heat, sample = write_heat(_opened(maps, row["map_file"]), made / "images"), str(row["image"])
            facts = (str(row["activation_id"]), keys[str(row["group"])], sample, images[sample], heat)
            activations.append(Activation(secrets.token_hex(6), *facts, str(row["feature"]), float(row["score"])))
        Random(seed).shuffle(activations)
        write_text(made / "naming.jsonl", "".join(json.dumps(asdict(one)) + "\n" for one in activations))
        write_json(made / GROUPS, read_json(maps / GROUPS))  # for the report alone
        write_json(made / "study.json", {**texts, "seed": seed, "policies": rules, "groups": groups})
        study = load_naming_study(made)
    return replace(study, frame=replace(study.frame, folder=folder))


def write_heat(activation_map: Image.Image, folder: Path) -> str:
    """Writes a greyscale map as a layer of colour, transparent where the map is 0, and returns its opaque name."""
    layer = activation_map.convert("L")
    layer.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
    heat = Image.frombytes("P", layer.size, layer.tobytes())
    heat.putpalette([channel for value in range(256) for channel in _colour(value / 255)])
    opacity = bytes(round(235 * (value / 255) ** 0.8) for value in range(256))
    return write_image(heat, folder, "png", format="PNG", transparency=opacity)


def _colour(value: float) -> tuple[int, ...]:
    """Returns red, green and blue of a value from 0 to 1.

    >>> _colour(0.0), _colour(1.0)
    ((38, 12, 90), (255, 240, 120))
    """
    for (low, first), (high, second) in pairwise(_STOPS):
        if value <= high:
            share = (value - low) / (high - low)
            return tuple(round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    raise ValueError(f"expected a value from 0 to 1; it is {value}")


def _read_maps(maps: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    for name in ("maps.jsonl", GROUPS):
        if not (maps / name).is_file():
            raise UserFileNotFoundError(f"Expected a folder of activation maps in {maps}: there is no {name}.")
    try:
        rows = [parse_json(line) for line in (maps / "maps.jsonl").read_text(encoding="utf-8").splitlines()]
        groups = read_json(maps / GROUPS)["groups"]
        titles = {str(name): str(facts["title"]) for name, facts in groups.items()}
        needed = {"activation_id", "group", "image", "feature", "score", "image_file", "map_file"}
        lacking = sorted({name for row in rows for name in needed - set(row)})
        ids = {str(row["activation_id"]) for row in rows if not lacking}
        texts = [row[name] for row in rows if not lacking for name in ("image_file", "map_file")]
        if not all(isinstance(text, str) and "\0" not in text for text in texts):
            raise TypeError("expected names of files as image_file and map_file")
        for row in rows if not lacking else ():
            row["score"] = float(row["score"])
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UserError(f"{maps} holds no activation maps as expected: {error}. Make them again.") from error
    if lacking or not rows or len(ids) < len(rows):
        fault = f"lacks {', '.join(lacking)}" if lacking else "has no line, or an activation_id twice"
        raise UserError(f"{maps / 'maps.jsonl'} {fault}. Make the maps again.")
    return rows, titles


def _inside(maps: Path, name: str) -> Path:
    file = maps / name
    if not file.resolve().is_relative_to(maps.resolve()):
        raise UserError(f"maps.jsonl names {name}, which is outside of {maps}.")
    return file


def _opened(maps: Path, name: str) -> Image.Image:
    from qscore.data.reading import UNREADABLE, opened  # numpy, which only `new` needs

    file = _inside(maps, name)
    try:
        with opened(file) as image:
            return image.convert("L")
    except UNREADABLE as error:
        raise UserError(f"maps.jsonl names {name}, which is no image in {maps}: {error}.") from error
