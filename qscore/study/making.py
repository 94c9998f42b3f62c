"""Makes a study's folder of trials and the images that they name: opaque names, plain pixels, texts, rules."""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from qscore.errors import UserError, UserFileNotFoundError
from qscore.files import write_json, write_text
from qscore.study.folder import Study, Trial, load_study
from qscore.study.rules import Policies

_LONGEST_SIDE_PX = 512
_PNG_UP_TO_PX = 128  # above, a page of photographs would weigh megabytes
_SIDES = ("left", "right")
CONSENT = """You will see questions about images. Your answers are kept, with the time that each took, under a number
and not under your name.

There is no wrong way to look: answer what you see."""
INSTRUCTIONS = {
    "images": "Some images belong together in some way. Choose which of the two below belongs with them.",
    "description": "A few words describe a group of images. Choose which of the two images below fits them better.",
    "likert": "A few words describe a group of images. Say how well they describe the group as a whole.",
}


def read_forced_choice(path: Path) -> list[dict[str, Any]]:
    """Returns the trials of a file that `forced_choice` wrote; its first line tells how they were drawn.

    Raises:
        UserError: it is no such file.
    """
    if not path.is_file():
        raise UserFileNotFoundError(f"Expected a file of trials; there is none at {path}.")
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        trials = [row for row in rows if "trial_id" in row]
    except (ValueError, TypeError) as error:
        raise UserError(f"Expected lines of JSON in {path}: {error}. Make the trials again.") from error
    if not trials:
        raise UserError(f"Expected trials in {path}, and there is none. Make the trials again.")
    return trials


def make_study(
    trials: Iterable[dict[str, Any]],
    open_image: Callable[[str], Image.Image],
    folder: Path,
    *,
    title: str,
    policies: Policies | None = None,
    ratings: bool = False,
    seed: int = 0,
) -> Study:
    """Writes a study, `trials.jsonl` and `study.json` last, and reads it back.

    Args:
        trials: records with the fields of `forced_choice.trials.Trial`.
        open_image: the image of a sample id.
        folder: for the study; it must not hold one.
        title: stands on the first page.
        policies: the rules; by default those of the paper, with one description a group, annotator and day.
        ratings: adds a question of how well each description fits its group (appendix B.3).
        seed: of the order, another for each annotator.

    Raises:
        UserError: there is a study already, or a trial lacks a field.
    """
    if (folder / "study.json").exists() or (folder / "answers.sqlite").exists():
        raise UserError(f"Expected no study in {folder}, which holds one. Choose another folder.")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    keys = _Keys(open_image, folder / "images")
    try:
        rows = list(trials)
        made = [_forced_choice(row, keys) for row in rows]
    except KeyError as error:
        raise UserError(f"Expected a trial with the field {error}. Make the trials again.") from error
    if ratings:
        made += _ratings(made)
    rules = asdict(policies or Policies.read({"limits": [{"condition": "description", "max": 1}]}))
    write_text(folder / "trials.jsonl", "".join(json.dumps(asdict(trial), ensure_ascii=False) + "\n" for trial in made))
    settings = {"title": title, "consent": CONSENT, "instructions": _used(made), "seed": seed, "policies": rules}
    write_json(folder / "study.json", settings)
    return load_study(folder)


def write_plain(image: Image.Image, folder: Path) -> str:
    """Writes nothing but the pixels of an image, as large as a page needs them, and returns its opaque name."""
    image = ImageOps.exif_transpose(image).convert("RGB")
    image.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
    plain = Image.frombytes("RGB", image.size, image.tobytes())
    name = f"{secrets.token_hex(12)}.{'png' if max(plain.size) <= _PNG_UP_TO_PX else 'jpg'}"
    plain.save(folder / name, quality=90)
    return name


class _Keys:
    """The opaque name of each image, which is written when it is first asked for."""

    def __init__(self, open_image: Callable[[str], Image.Image], folder: Path) -> None:
        self._open, self._folder = open_image, folder
        self._names: dict[str, str] = {}

    def __getitem__(self, sample: str) -> str:
        if sample not in self._names:
            self._names[sample] = write_plain(self._open(sample), self._folder)
        return self._names[sample]


def _forced_choice(row: dict[str, Any], keys: _Keys) -> Trial:
    side = row["positive_side"]
    queries = (keys[row["positive"]], keys[row["negative"]])
    left, right = queries if side == 0 else queries[::-1]
    return Trial(
        id=row["trial_id"],
        query_id=row["query_id"],
        condition=row["condition"],
        group=str(row["group"]),
        references=tuple(keys[sample] for sample in row["references"]),
        text=row["description"],
        left=left,
        right=right,
        correct=_SIDES[side],
        is_catch=row.get("is_catch", False),
    )


def _ratings(trials: list[Trial]) -> list[Trial]:
    examples = {trial.group: trial.references for trial in reversed(trials) if trial.references and not trial.is_catch}
    asked = dict.fromkeys((trial.group, trial.text) for trial in trials if trial.text)
    return [
        Trial(f"rating-{i}", "", "likert", group, references=examples.get(group, ()), text=text)
        for i, (group, text) in enumerate(asked)
    ]


def _used(trials: list[Trial]) -> dict[str, str]:
    return {name: text for name, text in INSTRUCTIONS.items() if any(trial.condition == name for trial in trials)}
