"""A folder of activation maps as the evaluation writes it: drawn birds, and what a network might look at."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from PIL import Image, ImageDraw, ImageFilter

from qscore.study.naming.folder import NamingStudy
from qscore.study.naming.making import make_naming_study
from qscore.study.naming.rules import NamingPolicies
from tests.study.conftest import SECRET_GROUP, Clock

SIDE = 96
PARTS = {"head": (66, 32), "beak": (86, 36), "wing": (42, 52), "tail": (10, 58), "feet": (48, 86)}
SECRETS = (SECRET_GROUP, "secret-feature", "secret-sample", "secret-activation")


def draw_bird(random: Random) -> Image.Image:
    """A bird that looks to the right."""
    colour = lambda low, high: tuple(random.randint(low, high) for _ in range(3))  # noqa: E731
    body, wing, sky = colour(60, 230), colour(30, 200), colour(190, 245)
    image = Image.new("RGB", (2 * SIDE, 2 * SIDE), sky)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 172, 192, 192), fill=(96, 120, 70))
    pen.polygon([(50, 105), (4, 92 + random.randint(-8, 30)), (4, 130), (50, 125)], fill=wing)
    for x in (90, 106):
        pen.line([(x, 130), (x, 174), (x + 10, 174)], fill=(200, 120, 40), width=5)
    pen.ellipse((36, 78, 150, 148), fill=body)
    pen.ellipse((106, 36, 160, 96), fill=body)
    pen.polygon([(156, 58), (188, 72), (156, 82)], fill=(235, 160, 40))
    pen.ellipse((134, 54, 146, 66), fill=(20, 20, 20))
    pen.ellipse((50, 84, 122, 126), fill=wing)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def draw_map(part: str, random: Random) -> Image.Image:
    """A spot where the part is; for "noise", anywhere."""
    x, y = PARTS.get(part, (random.randrange(SIDE), random.randrange(SIDE)))
    spot = Image.new("L", (SIDE, SIDE))
    wide = random.randint(8, 12)
    ImageDraw.Draw(spot).ellipse((x - wide, y - wide, x + wide, y + wide), fill=255)
    return spot.filter(ImageFilter.GaussianBlur(5))


def write_maps(folder: Path, sizes: tuple[int, ...], seed: int = 0) -> Path:
    """Writes groups of so many maps; the feature is the part. Each bird has three maps, one in 20 is noise."""
    random = Random(seed)
    for name in ("images", "maps"):
        (folder / name).mkdir(parents=True)
    rows = []
    for group, size in enumerate(sizes):
        for number in range(size):
            bird, which = divmod(number, 3)
            name = f"{SECRET_GROUP}-{group}-{bird}.png"
            if which == 0:
                draw_bird(random).save(folder / "images" / name)
            part = "noise" if number % 20 == 13 else list(PARTS)[(bird + 2 * which) % 5]
            draw_map(part, random).save(folder / "maps" / f"{group}-{number}.png")
            rows.append(
                {
                    "activation_id": f"secret-activation-{group}-{number}",
                    "group": f"{SECRET_GROUP}-{group}",
                    "image": f"secret-sample-{group}-{bird}",
                    "feature": f"secret-feature-{part}",
                    "score": 1.5,
                    "image_file": f"images/{name}",
                    "map_file": f"maps/{group}-{number}.png",
                }
            )
    (folder / "maps.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    titles = {f"{SECRET_GROUP}-{group}": {"title": f"Group {group + 1}"} for group in range(len(sizes))}
    (folder / "groups.json").write_text(json.dumps({"groups": titles, "source": {"layer": "layer4"}}))
    return folder


@pytest.fixture
def make_naming(tmp_path: Path) -> Callable[..., NamingStudy]:
    """`make(*sizes, **policies)`: a study of groups of so many maps; 9 and 6 by default."""

    def make(*sizes: int, folder: str = "naming", **policies: object) -> NamingStudy:
        maps = write_maps(tmp_path / f"{folder}-maps", sizes or (9, 6))
        rules = NamingPolicies.read(policies)
        return make_naming_study(maps, tmp_path / folder, title="What do the marks show?", policies=rules, seed=3)

    return make


@pytest.fixture
def clock() -> Clock:
    return Clock()
