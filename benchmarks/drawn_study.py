"""A study of noise, as large as asked for."""

import json
import random
import secrets
from pathlib import Path

from PIL import Image

from qscore.files import write_json
from qscore.study.folder import Study, load_study

ANSWERS_PER_TRIAL, NUM_IMAGES, NUM_GROUPS, MAX_PER_GROUP = 3, 600, 170, 2


def make(folder: Path, num_answers: int) -> Study:
    """A study of that many answers, of drawn images of 64 pixels."""
    (folder / "images").mkdir()
    keys = [f"{secrets.token_hex(12)}.png" for _ in range(NUM_IMAGES)]
    for key in keys:
        Image.effect_noise((64, 64), 60).convert("RGB").save(folder / "images" / key)
    lines = []
    for number in range(-(-num_answers // ANSWERS_PER_TRIAL)):
        images = random.sample(keys, 12)
        trial = {
            "id": f"t{number}",
            "query_id": f"q{number}",
            "condition": "images",
            "group": f"g{number % NUM_GROUPS}",
        }
        shown = {"references": images[2:], "left": images[0], "right": images[1], "correct": "left"}
        lines.append(json.dumps(trial | shown))
    (folder / "trials.jsonl").write_text("\n".join(lines))
    limit = {"condition": "images", "max": MAX_PER_GROUP, "per": "study", "scope": "group"}
    write_json(folder / "study.json", {"title": "Load", "policies": {"limits": [limit]}})
    return load_study(folder)
