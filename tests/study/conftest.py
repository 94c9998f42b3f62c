"""A small study in a folder, and a clock that tests turn."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from qscore.study.folder import Study, load_study

SECRET_GROUP = "zebra-cluster-417"  # stands in every trial; must stand in nothing that is served
SECRETS = {"negatives": "drawn-from-okapis", "described_by": "captioner-7"}  # likewise


class Clock:
    """Seconds since 1970, noon of a day in UTC at first."""

    def __init__(self, now: float = 1_700_000_000 - 1_700_000_000 % 86_400 + 43_200) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def draw_image(folder: Path, color: tuple[int, int, int]) -> str:
    key = f"{secrets.token_hex(8)}.png"
    Image.new("RGB", (32, 32), color).save(folder / "images" / key)
    return key


def forced_choice(number: int, condition: str, images: list[str], **changes: Any) -> dict[str, Any]:
    """A trial of one of four groups whose right side alternates."""
    shown = {"references": images[2:]} if condition == "images" else {"text": "stripes on a horse"}
    return {
        "id": f"{condition}-{number}",
        "query_id": f"query-{number}",
        "condition": condition,
        "group": f"{SECRET_GROUP}-{number % 4}",
        "left": images[0],
        "right": images[1],
        "correct": ("left", "right")[number % 2],
        "is_catch": False,
        **SECRETS,
        **shown,
        **changes,
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


def mixed_trials(images: list[str]) -> list[dict[str, Any]]:
    """Three trials with images, one of them to catch, two with descriptions, one rating."""
    rating = {"id": "rating-0", "query_id": "", "condition": "likert", "group": f"{SECRET_GROUP}-0", "text": "stripes"}
    return [
        *(forced_choice(i, "images", images) for i in range(3)),
        forced_choice(50, "images", images, is_catch=True),
        *(forced_choice(10 + i, "description", images) for i in range(2)),
        {**rating, "references": images[2:]},
    ]


def write_study(path: Path, trials: list[dict[str, Any]] | None = None, **policies: Any) -> Study:
    """A study in a new folder; trials default to 8 with images."""
    (path / "images").mkdir(parents=True)
    images = [draw_image(path, (20 * i, 255 - 20 * i, 90)) for i in range(12)]
    chosen = [forced_choice(i, "images", images) for i in range(8)] if trials is None else trials
    for trial in chosen:
        named = [*trial.setdefault("references", []), trial.get("left"), trial.get("right")]
        for key in {key for key in named if key} - set(images):
            Image.new("RGB", (8, 8)).save(path / "images" / key)
    settings = {"title": "Do these belong together?", "consent": "We keep your answers.", "policies": policies}
    (path / "study.json").write_text(json.dumps({**settings, "seed": 3}))
    (path / "trials.jsonl").write_text("".join(json.dumps(trial) + "\n" for trial in chosen))
    return load_study(path)


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[..., Study]:
    """`make(trials, folder, **policies)`, see `write_study`."""

    def make(trials: list[dict[str, Any]] | None = None, folder: str = "study", **policies: Any) -> Study:
        return write_study(tmp_path / folder, trials, **policies)

    return make
